/** A workflow's parameters (JSON Schema, as Python's core/parameters.py makes it) as fields of a form, and what was typed as values. */

export type FieldKind = 'text' | 'number' | 'boolean' | 'choice' | 'json';

export interface Field {
  name: string;
  title: string;
  about: string;
  kind: FieldKind;
  required: boolean;
  /** As text, as the form shows it. */
  initial: string;
  choices: readonly string[];
}

type Schema = Record<string, unknown>;

export function fieldsOf(parameters: unknown): Field[] {
  const { properties, required } = (parameters ?? {}) as { properties?: Record<string, Schema>; required?: readonly string[] };
  return Object.entries(properties ?? {}).map(([name, schema]) => {
    const plain = withoutNull(schema);
    const kind = kindOf(plain);
    const initial = schema['default'];
    return {
      name,
      title: typeof schema['title'] === 'string' ? schema['title'] : name,
      about: typeof schema['description'] === 'string' ? schema['description'] : '',
      kind,
      required: required?.includes(name) ?? false,
      initial: asText(kind, initial),
      choices: kind === 'choice' ? (plain['enum'] as unknown[]).map(String) : [],
    };
  });
}

/** Values as somebody would have typed them. */
export function typedFor(fields: readonly Field[], values: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(fields.filter(({ name }) => name in values).map(({ name, kind }) => [name, asText(kind, values[name])]));
}

function asText(kind: FieldKind, value: unknown): string {
  if (value === undefined || value === null) return '';
  return kind === 'json' || typeof value !== 'string' ? JSON.stringify(value) : value;
}

/** What to send: fields left as they were are left out. Raises an Error that names the field. */
export function valuesOf(fields: readonly Field[], typed: Readonly<Record<string, string>>): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const field of fields) {
    const text = typed[field.name] ?? field.initial;
    if (text === field.initial && !field.required) continue;
    if (text === '' && field.required && field.kind !== 'text') throw new Error(`${field.title} is needed.`);
    if (text === '' && field.kind !== 'text') continue;
    values[field.name] = valueOf(field, text);
  }
  return values;
}

function valueOf(field: Field, text: string): unknown {
  if (field.kind === 'text' || field.kind === 'choice') return text;
  if (field.kind === 'boolean') return text === 'true';
  if (field.kind === 'number') {
    const value = Number(text);
    if (!Number.isFinite(value)) throw new Error(`${field.title}: “${text}” is no number.`);
    return value;
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`${field.title}: this is not JSON. Texts stand in "quotes".`);
  }
}

/** `anyOf [X, null]` is an X that may be left out. */
function withoutNull(schema: Schema): Schema {
  const any = schema['anyOf'];
  if (!Array.isArray(any)) return schema;
  const others = any.filter((one) => (one as Schema)['type'] !== 'null') as Schema[];
  return others.length === 1 ? { ...schema, ...others[0] } : schema;
}

function kindOf(schema: Schema): FieldKind {
  if (Array.isArray(schema['enum']) && schema['enum'].every((one) => typeof one === 'string')) return 'choice';
  const kinds: Record<string, FieldKind> = { string: 'text', integer: 'number', number: 'number', boolean: 'boolean' };
  return kinds[String(schema['type'])] ?? 'json';
}
