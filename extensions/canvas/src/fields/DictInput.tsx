import { useState } from 'react';
import { Button } from '../Button';
import { isObject, type Json, type JsonObject } from '../json';
import type { Schema } from '../schema';
import { shapeOf } from '../schema';
import { Control, type ControlProps } from './Control';
import { useDraft } from './draft';
import { useForm } from './form';

/** Names and values, a row each. A row without a name yet is not in the flow. */
export function DictInput({ id, label, path, shape, value, onChange, lazy, verbatim, describedBy }: ControlProps): React.JSX.Element {
  const { root, readonly } = useForm();
  const [fresh, setFresh] = useState(false);
  const object: JsonObject = isObject(value) ? value : isObject(shape.schema.default) ? shape.schema.default : {};
  const of: Schema = typeof shape.schema.additionalProperties === 'object' ? shape.schema.additionalProperties : {};
  const part = shapeOf(of, root, { name: '', lazy, verbatim, top: false });
  const entries = Object.entries(object);
  const rename = (from: string, to: string): void => {
    if (to === '' || to === from || to in object) return;
    onChange(Object.fromEntries(entries.map(([key, one]) => [key === from ? to : key, one])));
  };
  const set = (key: string, next: Json | undefined): void => onChange({ ...object, [key]: next ?? '' });
  const drop = (key: string): void => {
    const left = Object.fromEntries(entries.filter(([one]) => one !== key));
    onChange(Object.keys(left).length ? left : undefined);
  };
  return (
    <div id={id} className="nbf-dict" role="group" aria-label={label}>
      {entries.map(([key, one], place) => (
        // by place, so that a row stays the same while its name is typed
        <div key={place} className="nbf-dict-row">
          <NameInput label={`${label}: name ${place + 1}`} name={key} onName={(to) => rename(key, to)} readonly={readonly} />
          <div className="nbf-grow">
            <Control id={`${id}-${place}`} label={`${label}: ${key}`} path={[...path, key]} schema={of} shape={part} value={one} lazy={lazy} verbatim={verbatim} required invalid={false} describedBy={describedBy} onChange={(next) => set(key, next)} />
          </div>
          {readonly ? null : <Button small sign="close" label={`Remove ${key}`} onClick={() => drop(key)} />}
        </div>
      ))}
      {fresh ? (
        <div className="nbf-dict-row">
          <NameInput
            label={`${label}: new name`}
            name=""
            begin
            readonly={false}
            onName={(to) => {
              setFresh(false);
              if (to && !(to in object)) onChange({ ...object, [to]: '' });
            }}
          />
          <div className="nbf-grow" />
        </div>
      ) : null}
      {readonly || fresh ? null : <Button small sign="plus" text="Add" label={`${label}: add one`} tone="line" onClick={() => setFresh(true)} />}
    </div>
  );
}

function NameInput({ label, name, begin, readonly, onName }: { label: string; name: string; begin?: boolean; readonly: boolean; onName: (name: string) => void }): React.JSX.Element {
  const draft = useDraft(name, (text) => (begin ? undefined : onName(text.trim())));
  return (
    <input
      className="nbf-input nbf-name"
      value={draft.text}
      placeholder="name"
      autoFocus={begin}
      readOnly={readonly}
      aria-label={label}
      onChange={(event) => draft.type(event.target.value)}
      onKeyDown={(event) => {
        if (event.key !== 'Enter' || !begin) return;
        event.preventDefault();
        onName(draft.text.trim());
      }}
      onBlur={() => (begin ? onName(draft.text.trim()) : draft.flush())}
    />
  );
}
