import { expect, test } from 'vitest';
import { addNode, move } from '../src/edits';
import { Editor } from '../src/editor';
import { History, PAUSE_MS } from '../src/history';
import { chain, fakeHost, ids } from './flows';

test('undo and redo go back and forth', () => {
  const editor = new Editor(fakeHost(chain('a')));
  editor.edit('add b', (flow) => addNode(flow, { id: 'b', type: 't', at: [0, 0] }));
  expect(editor.undo()).toBe('add b');
  expect(ids(editor.flow.get())).toEqual(['a']);
  expect(ids(editor.host.flow.get())).toEqual(['a']);
  expect(editor.redo()).toBe('add b');
  expect(ids(editor.flow.get())).toEqual(['a', 'b']);
  expect(editor.redo()).toBeNull();
});

test('quick steps of one kind are undone together, slow ones apart', () => {
  let now = 0;
  const editor = new Editor(fakeHost(chain('a')), () => now);
  const step = (x: number): unknown => editor.edit('move', (flow) => move(flow, { a: [x, 0] }), { key: 'nudge' });
  step(10);
  now += 100;
  step(20);
  now += PAUSE_MS + 1;
  step(30);
  editor.undo();
  expect(editor.flow.get().layout['a']).toEqual([20, 0]);
  editor.undo();
  expect(editor.flow.get().layout['a']).toEqual([0, 0]);
});

test('an edit that changes nothing is no step', () => {
  const editor = new Editor(fakeHost(chain('a')));
  editor.edit('nothing', (flow) => flow);
  expect(editor.steps.get().undo).toBeNull();
});

test('a change by Python can be undone', () => {
  const host = fakeHost(chain('a'));
  const editor = new Editor(host);
  host.flow.set(chain('a', 'b'));
  expect(ids(editor.flow.get())).toEqual(['a', 'b']);
  editor.undo();
  expect(ids(host.flow.get())).toEqual(['a']);
});

test('a new edit forgets what was undone', () => {
  const history = new History();
  history.record(chain('a'), 'one', null, 0);
  history.undo(chain('b'));
  history.record(chain('a'), 'two', null, 1);
  expect(history.redoLabel).toBeNull();
});

test('nothing is edited when the canvas is read only', () => {
  const editor = new Editor(fakeHost(chain('a'), { readonly: true }));
  editor.edit('add', (flow) => addNode(flow, { id: 'b', type: 't', at: [0, 0] }));
  expect(ids(editor.flow.get())).toEqual(['a']);
});
