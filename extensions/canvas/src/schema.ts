/** JSON Schema as pydantic writes it, reduced to the kinds of fields that a form has. */

import { asText, isObject, type Json } from './json';

export interface Schema {
  $ref?: string;
  $defs?: Record<string, Schema>;
  type?: string | string[];
  title?: string;
  description?: string;
  default?: Json;
  enum?: Json[];
  const?: Json;
  format?: string;
  writeOnly?: boolean;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | Schema;
  items?: Schema;
  prefixItems?: Schema[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  discriminator?: { propertyName: string; mapping?: Record<string, string> };
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  minItems?: number;
  uniqueItems?: boolean;
  examples?: Json[];
  /** Hints of nbflow, given by `json_schema_extra`. */
  'x-nbflow-widget'?: string; // expression, code, text, credential, secret
  'x-nbflow-language'?: string; // of widget code
  'x-nbflow-kind'?: string | string[]; // of widget credential
  'x-nbflow-when'?: Record<string, Json[]>; // shown when each of these other fields has one of the values
  'x-nbflow-advanced'?: boolean;
}

export type Kind =
  | 'const' | 'enum' | 'boolean' | 'integer' | 'number' | 'text' | 'multiline' | 'expression' | 'code' | 'duration' | 'datetime' | 'path' | 'url'
  | 'credential' | 'secret' | 'list' | 'choices' | 'objects' | 'dict' | 'object' | 'union' | 'any';

export interface Variant {
  title: string;
  tag: string | null; // value of the discriminator, null without one
  schema: Schema;
}

export interface FieldShape {
  kind: Kind;
  schema: Schema; // resolved, without the null alternative
  optional: boolean; // null is a value: "not set"
  variants: readonly Variant[]; // of a union
  discriminator: string | null;
}

/** `$ref` with keys beside it, a single `allOf`: what they mean as one schema. */
export function resolve(schema: Schema, root: Schema): Schema {
  let found = schema;
  for (let depth = 0; depth < 20; depth += 1) {
    if (found.$ref) {
      const { $ref, ...beside } = found;
      const target = root.$defs?.[$ref.replace(/^#\/\$defs\//, '')];
      if (!target) return beside;
      found = { ...target, ...beside };
    } else if (found.allOf?.length === 1 && found.allOf[0]) {
      const { allOf, ...beside } = found;
      found = { ...allOf[0], ...beside };
    } else return found;
  }
  return found;
}

export interface Place {
  name: string;
  lazy: boolean; // the field, or one around it, is evaluated by the node itself
  verbatim: boolean;
  top: boolean; // directly in the config
}

export function shapeOf(schema: Schema, root: Schema, place: Place): FieldShape {
  const outer = resolve(schema, root);
  let inner = outer;
  let optional = false;
  if (outer.anyOf) {
    const some = outer.anyOf.filter((part) => part.type !== 'null');
    optional = some.length < outer.anyOf.length;
    const { anyOf: _anyOf, ...beside } = outer;
    if (some.length === 1 && some[0]) inner = { ...resolve(some[0], root), ...beside };
    else inner = { ...beside, oneOf: some };
  }
  const shape = (kind: Kind, schema: Schema = inner): FieldShape => ({ kind, schema, optional, variants: [], discriminator: null });
  if (inner.oneOf) return unionShape(inner, root, optional) ?? shape('any');
  return shape(kindOf(inner, root, place));
}

function unionShape(schema: Schema, root: Schema, optional: boolean): FieldShape | null {
  const discriminator = schema.discriminator?.propertyName ?? null;
  const variants = (schema.oneOf ?? []).map((part): Variant => {
    const found = resolve(part, root);
    const tag = discriminator ? found.properties?.[discriminator]?.const : undefined;
    return { title: tag === undefined ? titleOf(found) : sentence(asText(tag)), tag: tag === undefined ? null : asText(tag), schema: found };
  });
  // str | int | ... : one box for any value says more than a choice of types
  const plain = variants.every(({ schema: part }) => !part.properties);
  const scalars = variants.map(({ schema: part }) => part.type);
  if (plain && scalars.every((type) => type === 'integer' || type === 'number')) return { kind: 'number', schema, optional, variants: [], discriminator: null };
  if (plain && scalars.every((type) => type === 'string')) return { kind: 'text', schema, optional, variants: [], discriminator: null };
  return plain ? null : { kind: 'union', schema, optional, variants, discriminator };
}

function titleOf(schema: Schema): string {
  const title = schema.title ?? (typeof schema.type === 'string' ? schema.type : 'value');
  return sentence(title.replace(/([a-z])([A-Z])/g, '$1 $2'));
}

function kindOf(schema: Schema, root: Schema, place: Place): Kind {
  const hint = schema['x-nbflow-widget'];
  if (hint === 'expression' || hint === 'code' || hint === 'credential' || hint === 'secret') return hint;
  if (hint === 'text') return 'multiline';
  if (schema.const !== undefined) return 'const';
  if (schema.enum) return 'enum';
  switch (schema.type) {
    case 'boolean':
    case 'integer':
    case 'number':
      return schema.type;
    case 'string':
      return textKind(schema, place);
    case 'array': {
      const items = resolve(schema.items ?? {}, root);
      if (items.enum) return 'choices';
      return items.properties || items.oneOf || items.anyOf ? 'objects' : 'list';
    }
    case 'object':
      return schema.properties ? 'object' : 'dict';
    default:
      return 'any';
  }
}

const EXPRESSION = /^(Expression|Gives the name of an output|Over `input`|Mode expression)/;

function textKind(schema: Schema, place: Place): Kind {
  if (schema.writeOnly || schema.format === 'password') return 'secret';
  if (place.name === 'credential') return 'credential';
  if (place.verbatim) return 'code';
  // `format` before lengths: HttpUrl has maxLength 2083 and is no long text
  if (schema.format === 'duration') return 'duration';
  if (schema.format === 'date-time') return 'datetime';
  if (schema.format === 'path') return 'path';
  if (schema.format === 'uri') return 'url';
  // without the hint: a lazy text at the top is one expression, and inside the description tells
  if (place.lazy && (place.top || EXPRESSION.test(schema.description ?? ''))) return 'expression';
  if (/^(query|prompt|body|text|message|template|sql|system)$/.test(place.name)) return 'multiline';
  return 'text';
}

/** "response_code" as "Response code"; names of the field's own stay ("URL"). */
export function sentence(name: string): string {
  const words = name.replace(/[_-]+/g, ' ').trim().toLowerCase().split(' ');
  const told = words.map((word) => (UPPER.has(word) ? word.toUpperCase() : word)).join(' ');
  return told.charAt(0).toUpperCase() + told.slice(1);
}

const UPPER = new Set(['url', 'http', 'id', 'sql', 'csv', 'json', 'cpu', 'jwt', 'hmac', 'html', 'ssl', 'tls', 'api']);

/** What a new value of this schema starts as: its default, else the emptiest thing that has its type. */
export function blank(schema: Schema, root: Schema): Json {
  const found = resolve(schema, root);
  if (found.default !== undefined) return found.default;
  if (found.const !== undefined) return found.const;
  if (found.enum?.length) return found.enum[0] ?? null;
  if (found.type === 'object' || found.properties) {
    const value: Record<string, Json> = {};
    for (const name of found.required ?? []) {
      const part = found.properties?.[name];
      if (part) value[name] = blank(part, root);
    }
    return value;
  }
  if (found.type === 'array') return [];
  if (found.type === 'string') return '';
  if (found.type === 'boolean') return false;
  if (found.type === 'integer' || found.type === 'number') return found.minimum ?? 0;
  return found.type === undefined && !found.anyOf && !found.oneOf ? '' : null;
}

/** Whether a field is to be shown, by its `x-nbflow-when` and the other fields' values or defaults. */
export function isShown(schema: Schema, siblings: Schema, values: Record<string, Json>): boolean {
  const when = schema['x-nbflow-when'];
  if (!when) return true;
  return Object.entries(when).every(([name, allowed]) => allowed.includes(values[name] ?? siblings.properties?.[name]?.default ?? null));
}

/** The variant of a union that a value is of; the first when it says nothing. */
export function variantOf(shape: FieldShape, value: Json | undefined): number {
  const tag = shape.discriminator && isObject(value) ? value[shape.discriminator] : undefined;
  if (tag !== undefined) return Math.max(0, shape.variants.findIndex((variant) => variant.tag === tag));
  if (!isObject(value)) return 0;
  const keys = Object.keys(value);
  return Math.max(0, shape.variants.findIndex((variant) => keys.every((key) => key in (variant.schema.properties ?? {}))));
}
