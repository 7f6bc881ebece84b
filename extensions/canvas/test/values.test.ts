import { expect, test } from 'vitest';
import { iso, readable } from '../src/duration';
import { parameterRows, parameterSchema } from '../src/parameters';
import { grouped, search } from '../src/search';
import { framed, imageOf, tableOf, waysOf } from '../src/values';
import { CATALOGUE } from './flows';

const FRAME = { $type: 'DataFrame', shape: [900, 3] as [number, number], dtypes: { id: 'int64', name: 'object', $more: 1 }, head: [{ id: 1, name: 'Ada' }, { id: 2, name: null }] };

test('a frame is a table of its head, and tells how much more there is', () => {
  expect(tableOf(FRAME)).toMatchObject({ columns: ['id', 'name'], rows: [[1, 'Ada'], [2, null]], total: 900, width: 3 });
});

test('records are a table, even when their fields differ; other lists are none', () => {
  expect(tableOf([{ a: 1 }, { b: 2 }, { $more: 10 }])).toMatchObject({ columns: ['a', 'b'], rows: [[1, undefined], [undefined, 2]], total: 12 });
  expect(tableOf([1, 2])).toBeNull();
  expect(tableOf([{ $type: 'Figure' }])).toBeNull();
  expect(tableOf({ a: 1 })).toBeNull();
});

test('what says most comes first', () => {
  expect(waysOf({ preview: FRAME, bundle: { 'text/html': '<table>', 'text/plain': 'x' } })).toEqual(['table', 'html', 'json']);
  expect(waysOf({ preview: { $type: 'Figure' }, bundle: { 'image/png': 'iVBOR', 'text/plain': 'Figure' } })[0]).toBe('image');
  expect(waysOf({ preview: 'hi' })).toEqual(['json']);
  expect(waysOf({})).toEqual([]);
});

test('a picture is a data: URL, an SVG too', () => {
  expect(imageOf({ 'image/png': 'iVBO\nRw0=' })).toBe('data:image/png;base64,iVBORw0=');
  expect(imageOf({ 'image/svg+xml': '<svg onload="x"/>' })).toMatch(/^data:image\/svg\+xml;charset=utf-8,%3Csvg/);
  expect(imageOf({ 'text/plain': 'x' })).toBeNull();
});

test('rich HTML is framed by a policy that lets nothing out', () => {
  expect(framed('<b>x</b>', 'dark')).toMatch(/default-src 'none'/);
  expect(framed('<b>x</b>', 'dark')).not.toMatch(/connect-src|https?:/);
});

test('durations read as people write them, and back', () => {
  expect(readable('PT90S')).toBe('1 min 30 s');
  expect(iso('1h 30m')).toBe('PT5400S');
  expect(iso('90')).toBe('PT90S');
  expect(iso('500 ms')).toBe('PT0.5S');
  expect(iso('soon')).toBeNull();
  for (const text of ['5 min', '2 h', '1 d', '0 s']) expect(readable(iso(text) ?? '')).toBe(text);
});

test('the palette finds a type by its title, its words, its summary', () => {
  expect(search(CATALOGUE.types, 'http')[0]?.type).toBe('action.http');
  expect(search(CATALOGUE.types, 'loop each')[0]?.type).toBe('logic.loop.foreach');
  expect(search(CATALOGUE.types, 'branches').map(({ type }) => type)).toContain('logic.merge');
  expect(search(CATALOGUE.types, 'zzz')).toEqual([]);
});

test('every type is in one group, triggers first', () => {
  const groups = grouped(CATALOGUE.groups, CATALOGUE.types);
  expect(groups[0]?.name).toBe('trigger');
  expect(groups.flatMap(({ types }) => types)).toHaveLength(CATALOGUE.types.length);
});

test('parameters go through rows and back with what rows do not show', () => {
  const schema = { type: 'object', additionalProperties: false, properties: { day: { type: 'string', format: 'date', description: 'when' }, limit: { type: 'integer', default: 5 } }, required: ['day'] };
  expect(parameterSchema(schema, parameterRows(schema) as never)).toEqual(schema);
});

test('a renamed parameter keeps what its row does not show', () => {
  const schema = { type: 'object', properties: { day: { type: 'string', format: 'date' } }, required: ['day'] };
  expect(parameterSchema(schema, [{ name: 'date', type: 'string' }])).toEqual({ type: 'object', properties: { date: { type: 'string', format: 'date' } }, required: ['date'] });
});
