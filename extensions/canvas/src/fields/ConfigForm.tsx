import { useState } from 'react';
import type { NodeType } from '../catalogue';
import type { FlowNode } from '../document';
import { equal, withKey, type Json, type JsonObject } from '../json';
import { isShown, type Schema } from '../schema';
import { Field } from './Field';
import { problemsAt, useForm } from './form';

interface Props {
  node: FlowNode;
  type: NodeType;
  schema: Schema;
  onChange: (config: JsonObject, field: string) => void;
}

const FIRST = 7; // optional fields that are shown at once; the rest folds

/** The fields of a catalogue node, from its JSON Schema. */
export function ConfigForm({ node, type, schema, onChange }: Props): React.JSX.Element {
  const { problems } = useForm();
  const { first, more } = split(schema);
  const touched = more.filter((name) => node.config[name] !== undefined && !equal(node.config[name], schema.properties?.[name]?.default));
  const [open, setOpen] = useState(touched.length > 0 || more.some((name) => problemsAt(problems, [name], true).length > 0));
  const field = (name: string): React.JSX.Element | null => {
    const part = schema.properties?.[name];
    if (!part || !isShown(part, schema, node.config)) return null;
    return (
      <Field
        key={name}
        path={[name]}
        schema={part}
        value={node.config[name]}
        lazy={type.lazy.includes(name)}
        verbatim={type.verbatim.includes(name)}
        required={schema.required?.includes(name) === true}
        onChange={(next: Json | undefined) => onChange(withKey(node.config, name, next), name)}
      />
    );
  };
  if (!first.length) return <p className="nbf-callout">Nothing to set: this node does what it does.</p>;
  const shown = more.filter((name) => isShown(schema.properties?.[name] ?? {}, schema, node.config));
  return (
    <>
      {first.map(field)}
      {shown.length ? (
        <details className="nbf-more" open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
          <summary className="nbf-summary">
            {shown.length} more option{shown.length > 1 ? 's' : ''}
            {touched.length ? <span className="nbf-count">{touched.length} set</span> : null}
          </summary>
          {open ? shown.map(field) : null}
        </details>
      ) : null}
    </>
  );
}

/** By the schema alone, so that no field jumps while it is filled in. */
export function split(schema: Schema): { first: string[]; more: string[] } {
  const names = Object.keys(schema.properties ?? {});
  const first: string[] = [];
  const more: string[] = [];
  let optional = 0;
  for (const name of names) {
    const required = schema.required?.includes(name);
    const advanced = schema.properties?.[name]?.['x-nbflow-advanced'] === true;
    if (required || (!advanced && optional < FIRST)) {
      first.push(name);
      if (!required) optional += 1;
    } else more.push(name);
  }
  // one folded field costs more than it saves
  return more.length === 1 && schema.properties?.[more[0] ?? '']?.['x-nbflow-advanced'] !== true ? { first: names, more: [] } : { first, more };
}
