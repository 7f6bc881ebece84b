import { expect, test, vi } from 'vitest';
import { StatusStore } from '../src/statuses';

function waiting(): { store: StatusStore; flush: () => void; scheduled: () => number } {
  const runs: (() => void)[] = [];
  const store = new StatusStore((run) => void runs.push(run));
  return { store, flush: () => runs.splice(0).forEach((run) => run()), scheduled: () => runs.length };
}

test('many changes of a node are told once, with the last value', () => {
  const { store, flush, scheduled } = waiting();
  const heard = vi.fn();
  store.watch('a', heard);
  for (let seq = 1; seq <= 100; seq += 1) store.delta({ seq, nodes: { a: { status: 'running', detail: String(seq) } } });
  expect(scheduled()).toBe(1);
  flush();
  expect(heard).toHaveBeenCalledTimes(1);
  expect(store.get('a').detail).toBe('100');
});

test('only those who watch a node that changed are told', () => {
  const { store, flush } = waiting();
  const heard = vi.fn();
  store.watch('b', heard);
  store.delta({ seq: 1, nodes: { a: { status: 'running' } } });
  flush();
  expect(heard).not.toHaveBeenCalled();
});

test('a delta older than the keyframe is dropped', () => {
  const { store } = waiting();
  store.keyframe({ seq: 5, execution: { id: 'x', status: 'running' }, nodes: { a: { status: 'completed' } } });
  store.delta({ seq: 4, nodes: { a: { status: 'running' } } });
  expect(store.get('a').status).toBe('completed');
});

test('an old keyframe of the same execution does not undo newer deltas, one of another execution counts', () => {
  const { store } = waiting();
  store.keyframe({ seq: 1, execution: { id: 'x', status: 'running' }, nodes: {} });
  store.delta({ seq: 9, nodes: { a: { status: 'completed' } } });
  store.keyframe({ seq: 3, execution: { id: 'x', status: 'running' }, nodes: { a: { status: 'running' } } });
  expect(store.get('a').status).toBe('completed');
  store.keyframe({ seq: 4, execution: { id: 'y', status: 'running' }, nodes: { a: { status: 'running' } } });
  expect(store.get('a').status).toBe('running');
});

test('a keyframe tells nodes that it no longer names', () => {
  const { store, flush } = waiting();
  const heard = vi.fn();
  store.keyframe({ seq: 1, execution: null, nodes: { a: { status: 'failed' } } });
  flush();
  store.watch('a', heard);
  store.keyframe({ seq: 2, execution: null, nodes: {} });
  flush();
  expect(heard).toHaveBeenCalledTimes(1);
  expect(store.get('a').status).toBe('pending');
});

test('who no longer watches is not told', () => {
  const { store, flush } = waiting();
  const heard = vi.fn();
  store.watch('a', heard)();
  store.delta({ seq: 1, nodes: { a: { status: 'running' } } });
  flush();
  expect(heard).not.toHaveBeenCalled();
});
