import { useState } from 'react';
import { Button } from '../Button';
import { asText, isObject, type Json } from '../json';
import { blank, resolve, shapeOf, variantOf, type Schema } from '../schema';
import { Control, type ControlProps } from './Control';
import { Fields } from './ObjectInput';
import { problemsAt, useForm } from './form';

/** A list of records, each a card with its fields: assignments, rules, conditions. */
export function ObjectsInput({ id, label, path, shape, value, onChange, lazy, verbatim, describedBy }: ControlProps): React.JSX.Element {
  const { root, readonly } = useForm();
  const items = Array.isArray(value) ? value : Array.isArray(shape.schema.default) ? shape.schema.default : [];
  const item = resolve(shape.schema.items ?? {}, root);
  const [closed, setClosed] = useState<ReadonlySet<number>>(new Set());
  const noun = singular(label);
  const replace = (place: number, next: Json): void => onChange(items.map((old, at) => (at === place ? next : old)));
  const swap = (place: number, other: number): void => {
    const next = [...items];
    [next[place], next[other]] = [next[other] as Json, next[place] as Json];
    onChange(next);
  };
  return (
    <div id={id} className="nbf-objects" role="group" aria-label={label}>
      {items.map((one, place) => (
        // the place is the identity: records have no other
        <div key={place} className="nbf-object-card" role="group" aria-label={`${noun} ${place + 1}`}>
          <div className="nbf-object-head">
            <Button small sign={closed.has(place) ? 'right' : 'down'} label={closed.has(place) ? `Show ${noun} ${place + 1}` : `Fold ${noun} ${place + 1}`} onClick={() => setClosed((before) => toggled(before, place))} />
            <span className="nbf-object-title">{headline(one) || `${noun} ${place + 1}`}</span>
            {readonly ? null : (
              <>
                <Button small sign="up" label={`Move ${noun} ${place + 1} up`} disabled={place === 0} onClick={() => swap(place, place - 1)} />
                <Button small sign="close" label={`Remove ${noun} ${place + 1}`} onClick={() => onChange(items.length > 1 || shape.schema.default === undefined ? items.filter((_, at) => at !== place) : undefined)} />
              </>
            )}
          </div>
          {closed.has(place) ? null : <Record path={[...path, place]} schema={item} value={one} lazy={lazy} verbatim={verbatim} label={`${noun} ${place + 1}`} describedBy={describedBy} onChange={(next) => replace(place, next)} />}
        </div>
      ))}
      {readonly ? null : <Button small sign="plus" text={`Add ${noun.toLowerCase()}`} label={`Add ${noun.toLowerCase()}`} tone="line" onClick={() => onChange([...items, blank(firstOf(item, root), root)])} />}
    </div>
  );
}

interface RecordProps {
  path: readonly (string | number)[];
  schema: Schema;
  value: Json;
  lazy: boolean;
  verbatim: boolean;
  label: string;
  describedBy: string;
  onChange: (value: Json) => void;
}

function Record({ path, schema, value, lazy, verbatim, label, describedBy, onChange }: RecordProps): React.JSX.Element {
  const { root, problems, prefix } = useForm();
  const shape = shapeOf(schema, root, { name: String(path.at(-1)), lazy, verbatim, top: false });
  if (shape.kind === 'object') return <Fields path={path} schema={shape.schema} value={isObject(value) ? value : {}} lazy={lazy} verbatim={verbatim} onChange={onChange} />;
  const wrong = problemsAt(problems, path, true);
  return <Control id={`${prefix}-f-${path.join('-')}`} label={label} path={path} schema={schema} shape={shape} value={value} lazy={lazy} verbatim={verbatim} required invalid={wrong.length > 0} describedBy={describedBy} onChange={(next) => onChange(next ?? null)} />;
}

function firstOf(schema: Schema, root: Schema): Schema {
  const shape = shapeOf(schema, root, { name: '', lazy: false, verbatim: false, top: false });
  return shape.variants[variantOf(shape, undefined)]?.schema ?? shape.schema;
}

function toggled(places: ReadonlySet<number>, place: number): ReadonlySet<number> {
  const next = new Set(places);
  if (!next.delete(place)) next.add(place);
  return next;
}

/** What tells one record from the next: its first texts. */
function headline(value: Json): string {
  if (!isObject(value)) return asText(value);
  return Object.values(value).filter((part) => (typeof part === 'string' && part !== '') || typeof part === 'number').slice(0, 3).map(asText).join(' · ').slice(0, 60);
}

function singular(label: string): string {
  if (/ies$/.test(label)) return label.replace(/ies$/, 'y');
  return /[^s]s$/.test(label) ? label.slice(0, -1) : label;
}
