import { expect, test } from 'vitest';
import { edgeId, freeId, makesCycle, readFlow, withBodies, writeFlow } from '../src/document';
import { chain, looped } from './flows';

test('a document comes back as it was read, with keys that the canvas does not know', () => {
  const document = {
    nbflow: 1,
    name: 'orders',
    description: 'daily',
    parameters: { type: 'object' },
    nodes: [{ id: 'a', type: 'action.http', config: { url: 'x' }, settings: { retry: { max_tries: 5 }, on_error: 'output' } }, { id: 'b', type: 'logic.if' }],
    edges: [{ source: 'a', source_port: 'error', target: 'b', path: ['rows', 0] }],
    outputs: { out: { node: 'b' } },
    settings: { timezone: 'Europe/Berlin' },
    layout: { a: [0, 10] },
    notes: { note_1: { text: 'hi', box: [1, 2, 3, 4], colour: 'blue' } },
    later: { kept: true },
  };
  expect(writeFlow(readFlow(document))).toEqual(document);
  expect(Object.keys(writeFlow(readFlow(document)))).toEqual(Object.keys(document));
});

test('defaults are left out of the written document', () => {
  const written = writeFlow(readFlow({ nbflow: 1, name: 'x', nodes: [{ id: 'a', type: 't', config: {}, parent: null, settings: { each: false, notes: '', timeout: null } }], edges: [{ source: 'a', source_port: 'output', target: 'a', target_port: 'input', path: [] }] }));
  expect(written['nodes']).toEqual([{ id: 'a', type: 't' }]);
  expect(written['edges']).toEqual([{ source: 'a', target: 'a' }]);
});

test('what is broken in a document is shown as far as it goes', () => {
  const flow = readFlow({ nodes: [{ id: 'a' }, 'nonsense'], edges: 'none', layout: { a: ['x'] } });
  expect(flow.nodes).toHaveLength(1);
  expect(flow.edges).toEqual([]);
  expect(flow.layout).toEqual({});
});

test('edges that differ only in their path are two', () => {
  const edge = { source: 'a', source_port: 'output', target: 'b', target_port: 'input', path: [] };
  expect(edgeId({ ...edge, path: ['x'] })).not.toBe(edgeId(edge));
});

test('a way back to where it starts is a cycle, a way out of a loop is none', () => {
  expect(makesCycle(chain('a', 'b', 'c'), 'c', 'a')).toBe(true);
  expect(makesCycle(chain('a', 'b', 'c'), 'a', 'c')).toBe(false);
  expect(makesCycle(looped(), 'body', 'each')).toBe(false);
});

test('a loop takes its body along', () => {
  expect([...withBodies(looped(), ['each'])]).toEqual(['each', 'body']);
});

test('a new id is free, and fit for an expression', () => {
  expect(freeId(chain('fetch'), 'fetch')).toBe('fetch_2');
  expect(freeId(chain('fetch', 'fetch_2'), 'fetch_2')).toBe('fetch_3');
  expect(freeId(chain(), '2 fast')).toBe('_2_fast');
});
