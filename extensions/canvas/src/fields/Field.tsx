import { useState } from 'react';
import { Button } from '../Button';
import { hasExpression } from '../expressions';
import { asText, equal, type Json } from '../json';
import { sentence, shapeOf, type FieldShape } from '../schema';
import { Control } from './Control';
import { fieldId, problemsAt, useForm, type FieldProps } from './form';

/** One field of a form: name, control, what it is for, and what is wrong with it. */
export function Field(props: FieldProps): React.JSX.Element | null {
  const { root, problems, prefix, readonly, expressions } = useForm();
  const { path, value, required, onChange, lazy, verbatim } = props;
  const name = String(path.at(-1) ?? '');
  const shape = shapeOf(props.schema, root, { name, lazy, verbatim, top: path.length === 1 });
  const [asked, setAsked] = useState(false);
  if (shape.kind === 'const') return null;
  const label = props.label ?? titleOf(name, shape);
  const id = fieldId(prefix, path);
  const wide = WIDE.has(shape.kind);
  const wrong = problemsAt(problems, path, !wide);
  const expressible = expressions && !verbatim && EXPRESSIBLE.has(shape.kind);
  const isExpression = expressible && (asked || hasExpression(value));
  const set = value !== undefined && !equal(value, shape.schema.default);
  const described = `${id}-about`;
  const change = (next: Json | undefined): void => onChange(required || next === undefined || !equal(next, props.schema.default) ? next : undefined);
  const inline = shape.kind === 'boolean' && !isExpression;
  return (
    <div className={`nbf-field${inline ? ' nbf-field-inline' : ''}${wrong.length ? ' nbf-field-wrong' : ''}`} data-field={path.join('.')}>
      <div className="nbf-field-head">
        <label className="nbf-label" htmlFor={id} title={name}>
          {label}
          {required ? <span className="nbf-star" title="required" aria-label="required">*</span> : null}
        </label>
        {set && !required && !readonly ? <Button small sign="undo" label={`${label}: back to the default`} onClick={() => { setAsked(false); onChange(undefined); }} /> : null}
        {expressible && !readonly ? (
          <button
            type="button"
            className="nbf-fx-toggle"
            aria-pressed={isExpression}
            aria-label={`${label}: give it by an expression`}
            title="Give it by an expression"
            onClick={() => {
              setAsked(!isExpression);
              onChange(isExpression ? undefined : `{{ ${value === undefined || typeof value === 'object' ? '' : asText(value)} }}`);
            }}
          >
            fx
          </button>
        ) : null}
      </div>
      <Control {...props} onChange={change} id={id} label={label} shape={isExpression ? { ...shape, kind: 'text' } : shape} invalid={wrong.length > 0} describedBy={described} />
      <div id={described}>
        {wrong.map((problem) => (
          <p key={problem.message} className="nbf-problem">{problem.message}</p>
        ))}
        {shape.schema.description && !wrong.some(({ message }) => message.includes(shape.schema.description ?? '')) ? <p className="nbf-about">{shape.schema.description}</p> : null}
      </div>
    </div>
  );
}

/** These show their parts' problems themselves. */
const WIDE = new Set(['objects', 'object', 'union', 'dict', 'list']);
/** Texts need no switch: braces are enough. */
const EXPRESSIBLE = new Set(['boolean', 'integer', 'number', 'enum', 'choices', 'duration', 'datetime', 'list', 'dict']);

function titleOf(name: string, { schema }: FieldShape): string {
  // pydantic's own titles are the name in capitals; only a title that somebody wrote says more
  const made = name.split('_').map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join(' ');
  return schema.title && schema.title !== made && schema.$ref === undefined && !schema.properties ? schema.title : sentence(name);
}
