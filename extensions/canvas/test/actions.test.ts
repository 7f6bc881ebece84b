import { beforeEach, expect, test, vi } from 'vitest';
import { Actions, type Stage } from '../src/actions';
import { nodeOf } from '../src/document';
import { Editor } from '../src/editor';
import { refusal } from '../src/geometry';
import { perform } from '../src/perform';
import { View } from '../src/view';
import { arrows, chain, fakeHost, ids, looped, type FakeHost } from './flows';

const stage: Stage = { fit: vi.fn(), zoom: vi.fn(), reveal: vi.fn(), centre: () => [500, 300], toScreen: (point) => point, focus: vi.fn() };

function open(flow = chain('a', 'b'), capabilities: FakeHost['options'] extends never ? never : ('run' | 'run_to' | 'run_node' | 'pin')[] = []): { host: FakeHost; actions: Actions; view: View; flow: () => ReturnType<Editor['flow']['get']> } {
  const host = fakeHost(flow, { capabilities });
  const editor = new Editor(host);
  const view = new View();
  const actions = new Actions(editor, view, stage);
  return { host, actions, view, flow: () => editor.flow.get() };
}

beforeEach(() => {
  Object.defineProperty(globalThis.navigator, 'clipboard', { value: undefined, configurable: true });
});

test('a node added after another is joined to it, selected, and stands to its right', () => {
  const { actions, view, flow } = open();
  const id = actions.add('action.http', { from: { node: 'b', port: 'output', way: 'out' } });
  expect(arrows(flow())).toContain('b.output>http.input');
  expect([...view.selected.get()]).toEqual([id]);
  expect(flow().layout['http']?.[0]).toBeGreaterThan(flow().layout['b']?.[0] ?? 0);
});

test('a node added on an edge comes between', () => {
  const { actions, flow } = open();
  actions.add('action.http', { edge: 'a.output>b.input', at: [100, 100] });
  expect(arrows(flow()).sort()).toEqual(['a.output>http.input', 'http.output>b.input']);
});

test("what comes after a loop's item is inside the loop", () => {
  const { actions, flow } = open(looped());
  const id = actions.add('action.http', { from: { node: 'each', port: 'item', way: 'out' } });
  expect(nodeOf(flow(), id)?.parent).toBe('each');
});

test('adding is undone in one step', () => {
  const { actions, flow } = open();
  actions.add('action.http', { from: { node: 'b', port: 'output', way: 'out' } });
  actions.undo();
  expect(ids(flow())).toEqual(['a', 'b']);
  expect(arrows(flow())).toEqual(['a.output>b.input']);
});

test('connections that make no sense are refused with a reason', () => {
  const { actions, view, flow } = open(chain('a', 'b', 'c'));
  expect(actions.join({ source: 'c', source_port: 'output', target: 'a', target_port: 'input' })).toBe(false);
  expect(view.toast.get()?.text).toMatch(/circle/);
  expect(arrows(flow())).toHaveLength(2);
  const drawing = open(looped()).actions.drawing();
  expect(refusal(drawing, { source: 'body', source_port: 'output', target: 'end', target_port: 'input' })).toMatch(/result/);
  expect(refusal(drawing, { source: 'each', source_port: 'item', target: 'end', target_port: 'input' })).toMatch(/inside/);
  expect(refusal(drawing, { source: 'fetch', source_port: 'output', target: 'end', target_port: 'input' })).toBeNull();
});

test('a node dragged into a loop is in it, dragged out it is not', () => {
  const { actions, flow } = open(looped());
  actions.drop({ end: [300, 60] });
  expect(nodeOf(flow(), 'end')?.parent).toBe('each');
  actions.drop({ end: [2000, 900] });
  expect(nodeOf(flow(), 'end')?.parent).toBeNull();
});

test('copy and paste work without the system clipboard', async () => {
  const { actions, view, flow } = open();
  view.select(['a', 'b']);
  await actions.copy();
  await actions.paste();
  expect(ids(flow())).toEqual(['a', 'b', 'a_2', 'b_2']);
  expect(arrows(flow())).toContain('a_2.output>b_2.input');
  expect([...view.selected.get()]).toEqual(['a_2', 'b_2']);
});

test('a second copy does not cover the first', async () => {
  const { actions, view, flow } = open(chain('a'));
  view.select(['a']);
  await actions.copy();
  await actions.paste();
  await actions.paste();
  expect(flow().layout['a_3']).not.toEqual(flow().layout['a_2']);
});

test('a rename is refused with a reason, or done and told to the host', () => {
  const { actions, host, flow } = open();
  expect(actions.rename('a', 'b')).toMatch(/another/);
  expect(actions.rename('a', '9x')).toMatch(/letter/);
  expect(actions.rename('a', 'load')).toBeNull();
  expect(arrows(flow())).toEqual(['load.output>b.input']);
  expect(host.hints).toEqual([{ renamed: { from: 'a', to: 'load' } }]);
});

test('deleting selects what came before', () => {
  const { view, actions, flow } = open();
  view.select(['b']);
  perform(actions, 'remove');
  expect(ids(flow())).toEqual(['a']);
  expect(view.current.get()).toBe('a');
});

test('the keyboard connects: c, an arrow, Enter', () => {
  const { view, actions, flow } = open({ ...chain('a', 'b'), edges: [] });
  view.select(['a']);
  perform(actions, 'link');
  perform(actions, 'right');
  expect(view.current.get()).toBe('b');
  perform(actions, 'open');
  expect(arrows(flow())).toEqual(['a.output>b.input']);
});

test('Escape closes the innermost thing first', () => {
  const { view, actions } = open();
  view.select(['a']);
  view.wide.set(true);
  view.help.set(true);
  perform(actions, 'close');
  expect([view.help.get(), view.wide.get()]).toEqual([false, true]);
  perform(actions, 'close');
  expect(view.wide.get()).toBe(false);
  perform(actions, 'close');
  expect(view.selected.get().size).toBe(0);
});

test('only what the host can do is asked of it', () => {
  const { view, actions, host } = open(chain('a'), ['run_node', 'pin']);
  view.select(['a']);
  perform(actions, 'run');
  perform(actions, 'runTo');
  perform(actions, 'stop');
  expect(host.commands).toEqual([]);
  perform(actions, 'runNode');
  perform(actions, 'pin');
  expect(host.commands).toEqual([{ name: 'run_node', node: 'a' }, { name: 'pin', node: 'a', execution_id: null }]);
});

test('a selection goes into a loop that then feeds it', () => {
  const { view, actions, flow } = open(chain('a', 'b', 'c'));
  view.select(['b']);
  perform(actions, 'group');
  const [loop] = [...view.selected.get()];
  expect(nodeOf(flow(), 'b')?.parent).toBe(loop);
  expect(arrows(flow())).toContain(`${loop}.item>b.input`);
});
