import { expect, test } from 'vitest';
import { split } from '../src/fields/ConfigForm';
import { problemsAt } from '../src/fields/form';
import { choiceLabel, parsed, unparsed } from '../src/fields/inputs';
import { blank, isShown, sentence, shapeOf, variantOf, type Kind, type Schema } from '../src/schema';
import { CATALOGUE } from './flows';

const place = (name: string): { name: string; lazy: boolean; verbatim: boolean; top: boolean } => ({ name, lazy: false, verbatim: false, top: true });
const kind = (schema: Schema, name = 'x', root: Schema = {}): Kind => shapeOf(schema, root, place(name)).kind;

test('every field of every installed node type has a kind of its own', () => {
  const untyped: string[] = [];
  for (const type of CATALOGUE.types) {
    for (const [name, schema] of Object.entries(type.schema?.properties ?? {})) {
      const shape = shapeOf(schema, type.schema ?? {}, { name, lazy: type.lazy.includes(name), verbatim: type.verbatim.includes(name), top: true });
      if (shape.kind === 'any' && (schema.type || schema.$ref)) untyped.push(`${type.type}.${name}`);
    }
  }
  expect(untyped).toEqual([]);
});

test('kinds follow pydantic', () => {
  expect(kind({ anyOf: [{ type: 'string', format: 'duration' }, { type: 'null' }] })).toBe('duration');
  expect(kind({ type: 'string', format: 'uri', maxLength: 2083 })).toBe('url');
  expect(kind({ type: 'string', enum: ['a', 'b'] })).toBe('enum');
  expect(kind({ type: 'object', additionalProperties: { type: 'string' } })).toBe('dict');
  expect(kind({ type: 'array', items: { type: 'string' } })).toBe('list');
  expect(kind({ type: 'array', items: { enum: ['a'] } })).toBe('choices');
  expect(kind({ $ref: '#/$defs/P' }, 'x', { $defs: { P: { type: 'object', properties: { a: { type: 'string' } } } } })).toBe('object');
  expect(kind({ anyOf: [{ type: 'integer' }, { type: 'null' }] })).toBe('integer');
  expect(kind({})).toBe('any');
});

test('a secret is never typed into a form: it is a credential by name', () => {
  expect(kind({ type: 'string', writeOnly: true, format: 'password' })).toBe('secret');
  expect(kind({ type: 'string' }, 'credential')).toBe('credential');
});

test('source code is no expression, and a lazy text is one', () => {
  expect(shapeOf({ type: 'string' }, {}, { name: 'code', lazy: false, verbatim: true, top: true }).kind).toBe('code');
  expect(shapeOf({ type: 'string' }, {}, { name: 'expression', lazy: true, verbatim: false, top: true }).kind).toBe('expression');
});

const HTTP = CATALOGUE.types.find(({ type }) => type === 'action.http')?.schema ?? {};

test("the HTTP request's auth is a choice of shapes, told apart by its tag", () => {
  const shape = shapeOf(HTTP.properties?.['auth'] ?? {}, HTTP, place('auth'));
  expect(shape.kind).toBe('union');
  expect(shape.discriminator).toBe('type');
  expect(shape.variants[variantOf(shape, { type: 'bearer' })]?.tag).toBe('bearer');
});

test('a new value has what is required and no more', () => {
  const root: Schema = { $defs: { A: { type: 'object', required: ['name', 'on'], properties: { name: { type: 'string' }, on: { type: 'boolean' }, more: { type: 'string' } } } } };
  expect(blank({ $ref: '#/$defs/A' }, root)).toEqual({ name: '', on: false });
});

test('a field is shown when another has the value that it needs', () => {
  const schema: Schema = { properties: { mode: { default: 'fields' }, query: { 'x-nbflow-when': { mode: ['sql'] } } } };
  const query = schema.properties?.['query'] ?? {};
  expect(isShown(query, schema, {})).toBe(false);
  expect(isShown(query, schema, { mode: 'sql' })).toBe(true);
});

test('required fields are always at hand, the rest folds', () => {
  const names = Array.from({ length: 12 }, (_, at) => `f${at}`);
  const schema: Schema = { properties: Object.fromEntries(names.map((name) => [name, { type: 'string' }])), required: ['f11'] };
  const { first, more } = split(schema);
  expect(first).toContain('f11');
  expect(more.length).toBe(4);
  expect([...first, ...more].sort()).toEqual([...names].sort());
});

test("a problem is shown at its field, past pydantic's union tag", () => {
  const problem = { code: 'bad', message: 'no', node: 'a', field: 'auth.bearer.credential' };
  expect(problemsAt([problem], ['auth', 'credential'], false)).toHaveLength(1);
  expect(problemsAt([problem], ['auth'], true)).toHaveLength(1);
  expect(problemsAt([problem], ['auth'], false)).toHaveLength(0);
  expect(problemsAt([problem], ['url'], true)).toHaveLength(0);
  expect(problemsAt([{ ...problem, field: 'rules.1.output' }], ['rules', 0, 'output'], false)).toHaveLength(0);
  expect(problemsAt([{ ...problem, field: 'rules.1.output' }], ['rules', 1, 'output'], false)).toHaveLength(1);
});

test('a value typed as text comes back as the same value', () => {
  for (const value of ['plain', '5', 5, true, null, { a: [1] }, '{{ input }}', 'true']) expect(parsed(unparsed(value)) ?? null).toEqual(value === null ? '' : value);
});

test('names read as words', () => {
  expect(sentence('memory_limit_bytes')).toBe('Memory limit bytes');
  expect(sentence('next_url')).toBe('Next URL');
  expect(choiceLabel('at_once')).toBe('at once');
  expect(choiceLabel('GET')).toBe('GET');
  expect(choiceLabel('\r\n')).toBe('CR LF');
});
