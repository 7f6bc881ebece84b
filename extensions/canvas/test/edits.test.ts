import { expect, test } from 'vitest';
import { nodeOf } from '../src/document';
import { addNode, connect, idForType, move, remove, rename, reparent, setSettings, toggleDisabled, wrapInLoop } from '../src/edits';
import { arrows, chain, ids, looped } from './flows';

test('a deleted node between two leaves them joined', () => {
  const flow = remove(chain('a', 'b', 'c'), ['b'], { bridge: true });
  expect(ids(flow)).toEqual(['a', 'c']);
  expect(arrows(flow)).toEqual(['a.output>c.input']);
  expect(flow.layout['b']).toBeUndefined();
});

test('a deleted loop takes its body and every edge along', () => {
  const flow = remove(looped(), ['each']);
  expect(ids(flow)).toEqual(['fetch', 'end']);
  expect(flow.edges).toEqual([]);
});

test('an edge into a port that takes one replaces the one before', () => {
  const flow = connect({ ...chain('a', 'b'), nodes: [...chain('a', 'b', 'c').nodes] }, { source: 'c', source_port: 'output', target: 'b', target_port: 'input' }, false);
  expect(arrows(flow)).toEqual(['c.output>b.input']);
});

test('a port for any number keeps what it has', () => {
  const flow = connect({ ...chain('a', 'b'), nodes: chain('a', 'b', 'c').nodes }, { source: 'c', source_port: 'output', target: 'b', target_port: 'input' }, true);
  expect(arrows(flow)).toEqual(['a.output>b.input', 'c.output>b.input']);
});

test('the same edge twice changes nothing', () => {
  const flow = chain('a', 'b');
  expect(connect(flow, { source: 'a', source_port: 'output', target: 'b', target_port: 'input' }, true)).toBe(flow);
});

test('renaming goes through edges, bodies, layout, outputs and expressions', () => {
  const before = { ...looped(), rest: { outputs: { out: { node: 'fetch' } } } };
  const flow = rename(before, 'fetch', 'load');
  expect(arrows(flow)[0]).toBe('load.output>each.input');
  expect(nodeOf(flow, 'body')?.config).toEqual({ assignments: [{ name: 'x', value: '{{ nodes.load.x }}' }] });
  expect(flow.layout['load']).toEqual([0, 0]);
  expect(flow.rest['outputs']).toEqual({ out: { node: 'load' } });
  expect(nodeOf(rename(looped(), 'each', 'all'), 'body')?.parent).toBe('all');
});

test('renaming leaves source code and texts that only look alike as they are', () => {
  const flow = addNode(chain('a'), { id: 'code', type: 'action.code.python', at: [0, 0], config: { code: 'nodes.a', note: 'say nodes.a' } });
  expect(nodeOf(rename(flow, 'a', 'z', () => ({ lazy: [], verbatim: ['code'] })), 'code')?.config).toEqual({ code: 'nodes.a', note: 'say nodes.a' });
});

test('a taken name is refused', () => {
  const flow = chain('a', 'b');
  expect(rename(flow, 'a', 'b')).toBe(flow);
});

test('moving changes positions only, in whole pixels', () => {
  const before = chain('a');
  const flow = move(before, { a: [10.4, 9.6] });
  expect(flow.layout['a']).toEqual([10, 10]);
  expect(flow.nodes).toBe(before.nodes);
});

test('a loop cannot be put into itself', () => {
  const flow = looped();
  expect(reparent(flow, 'each', 'each', [0, 0])).toBe(flow);
  expect(nodeOf(reparent(flow, 'body', null, [5, 5]), 'body')?.parent).toBeNull();
});

test('nodes put into a loop are fed by its item and give its result', () => {
  const flow = wrapInLoop(chain('a', 'b', 'c'), new Set(['b']), { id: 'each', type: 'logic.loop.foreach', at: [0, 0] }, { b: [34, 46] });
  expect(nodeOf(flow, 'b')?.parent).toBe('each');
  expect(arrows(flow).sort()).toEqual(['a.output>each.input', 'b.output>each.result', 'each.item>b.input', 'each.output>c.input']);
});

test('disabling is all or none', () => {
  const one = toggleDisabled(chain('a', 'b'), new Set(['a']));
  const both = toggleDisabled(one, new Set(['a', 'b']));
  expect(both.nodes.map((node) => node.settings.disabled)).toEqual([true, true]);
  expect(toggleDisabled(both, new Set(['a', 'b'])).nodes.map((node) => node.settings.disabled)).toEqual([undefined, undefined]);
});

test('without its error port, a node loses the edge that left by it', () => {
  const flow = { ...chain('a', 'b'), edges: [{ source: 'a', source_port: 'error', target: 'b', target_port: 'input', path: [] }] };
  expect(setSettings(flow, 'a', { on_error: 'output' }).edges).toHaveLength(1);
  expect(setSettings(flow, 'a', {}).edges).toHaveLength(0);
});

test('ids say what the node is', () => {
  expect(idForType(chain(), 'action.http')).toBe('http');
  expect(idForType(chain('http'), 'action.http')).toBe('http_2');
  expect(idForType(chain(), 'logic.loop.for')).toBe('loop_for');
});
