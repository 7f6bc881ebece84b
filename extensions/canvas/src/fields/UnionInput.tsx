import { isObject, type Json } from '../json';
import { blank, variantOf } from '../schema';
import type { ControlProps } from './Control';
import { Fields } from './ObjectInput';
import { useForm } from './form';

/** One of several shapes: first which one, then its fields. */
export function UnionInput({ id, label, path, shape, value, onChange, lazy, verbatim, describedBy }: ControlProps): React.JSX.Element {
  const { root, readonly } = useForm();
  const unset = value === undefined || value === null;
  const current = unset && shape.optional ? -1 : variantOf(shape, value);
  const variant = shape.variants[current];
  const tag = shape.discriminator;
  const choose = (place: number): void => {
    const next = shape.variants[place];
    if (!next) return onChange(undefined);
    const made = blank(next.schema, root);
    const kept = isObject(value) && isObject(made) ? sharedWith(value, next.schema.properties ?? {}, tag) : {};
    onChange(isObject(made) ? { ...made, ...kept, ...(tag && next.tag !== null && { [tag]: next.tag }) } : made);
  };
  return (
    <div className="nbf-union">
      <select id={id} className="nbf-input" value={current} disabled={readonly} aria-label={label} aria-describedby={describedBy} onChange={(event) => choose(Number(event.target.value))}>
        {shape.optional ? <option value={-1}>none</option> : null}
        {shape.variants.map(({ title }, place) => (
          <option key={title} value={place}>
            {title}
          </option>
        ))}
      </select>
      {variant?.schema.properties ? (
        <div className="nbf-object" role="group" aria-label={`${label}: ${variant.title}`}>
          {variant.schema.description ? <p className="nbf-about">{variant.schema.description}</p> : null}
          <Fields path={path} schema={variant.schema} value={isObject(value) ? value : {}} lazy={lazy} verbatim={verbatim} without={tag ? [tag] : []} onChange={onChange} />
        </div>
      ) : null}
    </div>
  );
}

/** What was given already and means the same in the other shape. */
function sharedWith(value: { [key: string]: Json }, properties: object, tag: string | null): { [key: string]: Json } {
  return Object.fromEntries(Object.entries(value).filter(([key]) => key in properties && key !== tag));
}
