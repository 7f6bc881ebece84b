import { isObject, withKey, type Json, type JsonObject } from '../json';
import { isShown, type Schema } from '../schema';
import type { ControlProps } from './Control';
import { Field } from './Field';
import type { Path } from './form';

/** A value with fields of its own. */
export function ObjectInput({ id, label, path, shape, value, onChange, lazy, verbatim }: ControlProps): React.JSX.Element {
  return (
    <div id={id} className="nbf-object" role="group" aria-label={label}>
      <Fields path={path} schema={shape.schema} value={isObject(value) ? value : {}} lazy={lazy} verbatim={verbatim} onChange={(next) => onChange(Object.keys(next).length ? next : undefined)} />
    </div>
  );
}

interface FieldsProps {
  path: Path;
  schema: Schema;
  value: JsonObject;
  lazy: boolean;
  verbatim: boolean;
  /** Names that are shown elsewhere. */
  without?: readonly string[];
  onChange: (value: JsonObject) => void;
}

export function Fields({ path, schema, value, lazy, verbatim, without = [], onChange }: FieldsProps): React.JSX.Element {
  return (
    <>
      {Object.entries(schema.properties ?? {}).map(([name, part]) =>
        without.includes(name) || !isShown(part, schema, value) ? null : (
          <Field
            key={name}
            path={[...path, name]}
            schema={part}
            value={value[name]}
            lazy={lazy}
            verbatim={verbatim}
            required={schema.required?.includes(name) === true}
            onChange={(next: Json | undefined) => onChange(withKey(value, name, next))}
          />
        ),
      )}
    </>
  );
}
