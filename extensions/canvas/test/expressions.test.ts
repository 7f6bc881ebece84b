import { expect, test } from 'vitest';
import { accept, complete, pathText } from '../src/completion';
import { readFlow } from '../src/document';
import { mapExpressions, nodeReferences, pieces, renameInExpression } from '../src/expressions';
import { NO_SAMPLES } from '../src/host';
import { brief, follow, reachOf } from '../src/reach';
import { chain, looped } from './flows';

test('the end of an expression is not one in a string, nor that of an object', () => {
  expect(pieces("a {{ '}}' }} b").map(({ text }) => text)).toEqual(['a ', " '}}' ", ' b']);
  expect(pieces('{{ {"a": {"b": 1}} }}')).toHaveLength(1);
  expect(pieces('{{ open')[0]?.closed).toBe(false);
});

test('only references are renamed, not what looks like one', () => {
  expect(renameInExpression("nodes.a.x + nodes['a'] + nodes.ab + 'nodes.a' + my.nodes.a", 'a', 'z')).toBe("nodes.z.x + nodes['z'] + nodes.ab + 'nodes.a' + my.nodes.a");
});

test('a config without a change stays the same object', () => {
  const config = { a: ['{{ x }}'], b: { c: 1 } };
  expect(mapExpressions(config, { lazy: [], verbatim: [] }, (text) => text)).toBe(config);
});

test('names of nodes are found in lazy fields too', () => {
  expect([...nodeReferences({ when: 'nodes.a.ok', text: '{{ nodes.b }}', code: 'nodes.c' }, { lazy: ['when'], verbatim: ['code'] })]).toEqual(['a', 'b']);
});

const SAMPLES = { ...NO_SAMPLES, nodes: { fetch: { rows: [{ name: 'Ada', 'first name': 'A' }], count: 1 }, a: 1, b: 2 }, items: { each: { price: 3 } }, params: { day: 'x' } };

test('a node sees what comes before it, not what follows it', () => {
  const reach = reachOf(chain('a', 'b', 'c'), 'b', SAMPLES);
  expect(reach.nodes).toEqual(['a']);
});

test('inside a loop there are item and index, and the loop itself cannot be named', () => {
  const reach = reachOf(looped(), 'body', SAMPLES);
  expect(reach.nodes).toContain('fetch');
  expect(reach.nodes).not.toContain('each');
  expect(reach.names['item']).toEqual({ price: 3 });
  expect(reach.names['input']).toEqual({ price: 3 });
  expect('item' in reachOf(looped(), 'end', SAMPLES).names).toBe(false);
});

test('outside of a loop its body cannot be seen', () => {
  expect(reachOf(looped(), 'end', SAMPLES).nodes).not.toContain('body');
});

test('what comes in is known from the edge when the node itself has not run', () => {
  const flow = readFlow({ nodes: [{ id: 'fetch', type: 't' }, { id: 'next', type: 't' }], edges: [{ source: 'fetch', target: 'next', path: ['rows', 0] }] });
  expect(reachOf(flow, 'next', SAMPLES).names['input']).toEqual({ name: 'Ada', 'first name': 'A' });
});

test('a pinned value stands for the last one', () => {
  expect((reachOf(chain('a', 'b'), 'b', SAMPLES, { a: 'pinned' }).names['nodes'] as Record<string, unknown>)['a']).toBe('pinned');
});

test('a path leads to its value, and to nothing where nothing is known', () => {
  const { names } = reachOf(looped(), 'end', SAMPLES);
  expect(follow('nodes.fetch.rows[0].name', names)).toEqual({ value: 'Ada' });
  expect(follow("nodes.fetch.rows[0]['first name']", names)).toEqual({ value: 'A' });
  expect(follow('nodes.fetch.nothing', names)).toBeNull();
  expect(follow('nodes.fetch.count + 1', names)).toBeNull();
});

const reach = reachOf(looped(), 'end', SAMPLES);
const labels = (text: string, bare = false, caret = text.length): string[] => complete(text, caret, bare, reach, [{ name: 'upper', doc: '' }])?.options.map(({ label }) => label) ?? [];

test('completion offers names, nodes, keys and filters where each fits', () => {
  expect(labels('{{ ')).toContain('nodes');
  expect(labels('{{ nodes.')).toEqual(['each', 'fetch']); // the nearest first
  expect(labels('{{ nodes.fetch.')).toEqual(['rows', 'count']);
  expect(labels('{{ input | up')).toEqual(['upper']);
  expect(labels('nodes.fetch.c', true)).toEqual(['count']);
});

test('nothing is offered outside of an expression, nor in a string', () => {
  expect(labels('hello no')).toEqual([]);
  expect(labels("{{ 'no")).toEqual([]);
  expect(labels('{{ nodes.fetch.rows }} no')).toEqual([]);
});

test('a key that is no name is put in brackets', () => {
  const text = '{{ nodes.fetch.rows[0].fi';
  const completion = complete(text, text.length, false, reach, []);
  expect(completion && accept(text, text.length, completion, { label: 'first name', detail: '' }).text).toBe("{{ nodes.fetch.rows[0]['first name']");
});

test('a dragged place is the expression that reads it', () => {
  expect(pathText('input', ['rows', 0, 'first name'])).toBe("input.rows[0]['first name']");
});

test('a value is told in a few words', () => {
  expect(brief([1, 2, { $more: 40 }])).toBe('list of 42');
  expect(brief({ $type: 'DataFrame', shape: [3, 2], dtypes: {}, head: [] })).toBe('DataFrame 3 × 2');
});
