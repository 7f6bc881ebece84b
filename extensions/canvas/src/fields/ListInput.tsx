import { useState } from 'react';
import { Button } from '../Button';
import type { Json } from '../json';
import { blank, resolve, shapeOf } from '../schema';
import { Control, type ControlProps } from './Control';
import { problemsAt, useForm } from './form';

/** A list of plain values, one a row. */
export function ListInput({ id, label, path, shape, value, onChange, lazy, verbatim, describedBy }: ControlProps): React.JSX.Element {
  const { root, readonly, problems } = useForm();
  const [focus, setFocus] = useState(false);
  const items = Array.isArray(value) ? value : Array.isArray(shape.schema.default) ? shape.schema.default : [];
  const item = resolve(shape.schema.items ?? {}, root);
  const part = shapeOf(item, root, { name: String(path.at(-1)), lazy, verbatim, top: false });
  const put = (next: Json[]): void => onChange(next);
  return (
    <div id={id} className="nbf-list" role="group" aria-label={label}>
      {items.map((one, place) => {
        const wrong = problemsAt(problems, [...path, place], true);
        return (
          // the place is the identity: rows have no other
          <div key={place} className="nbf-list-row" ref={(row) => { if (row && focus && place === items.length - 1) { row.querySelector<HTMLElement>('textarea, input')?.focus(); setFocus(false); } }}>
            <div className="nbf-grow">
              <Control
                id={`${id}-${place}`}
                label={`${label} ${place + 1}`}
                path={[...path, place]}
                schema={item}
                shape={part}
                value={one}
                lazy={lazy}
                verbatim={verbatim}
                required
                invalid={wrong.length > 0}
                describedBy={describedBy}
                onChange={(next) => put(items.map((old, at) => (at === place ? (next ?? '') : old)))}
              />
              {wrong.map((problem) => <p key={problem.message} className="nbf-problem">{problem.message}</p>)}
            </div>
            {readonly ? null : <Button small sign="close" label={`Remove ${label} ${place + 1}`} onClick={() => put(items.filter((_, at) => at !== place))} />}
          </div>
        );
      })}
      {readonly ? null : (
        <Button small sign="plus" text="Add" label={`${label}: add one`} tone="line" onClick={() => { setFocus(true); put([...items, blank(item, root) ?? '']); }} />
      )}
    </div>
  );
}
