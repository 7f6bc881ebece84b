import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { writeFlow } from '../src/document';
import { LinkedHost } from '../src/linked';
import { panelLink, type PanelModel } from '../src/panel';
import type { ToPython } from '../src/protocol';
import { widgetLink, type WidgetModel } from '../src/widget';
import { chain, ids } from './flows';

type Listener = (...values: never[]) => void;

/** anywidget's model as far as we use it; `fromPython` is what the kernel does. */
class FakeModel implements WidgetModel {
  sent: ToPython[] = [];
  saved: unknown[] = [];
  private listeners = new Map<string, Set<Listener>>();
  constructor(readonly traits: Record<string, unknown>) {}
  get = (name: string): unknown => this.traits[name];
  set = (name: string, value: unknown): void => this.fromPython(name, value); // Backbone tells of own changes too
  save_changes = (): void => void this.saved.push(this.traits['flow']);
  send = (message: unknown): void => void this.sent.push(message as ToPython);
  on = (event: string, listener: Listener): void => void (this.listeners.get(event) ?? this.listeners.set(event, new Set()).get(event))?.add(listener);
  off = (event: string, listener: Listener): void => void this.listeners.get(event)?.delete(listener);
  emit(event: string, ...values: unknown[]): void {
    for (const listener of [...(this.listeners.get(event) ?? [])]) listener(...(values as never[]));
  }
  fromPython(name: string, value: unknown): void {
    this.traits[name] = value;
    this.emit(`change:${name}`);
  }
}

const make = (traits: Record<string, unknown> = {}): { model: FakeModel; host: LinkedHost } => {
  const model = new FakeModel({ flow: writeFlow(chain('a')), ...traits });
  return { model, host: new LinkedHost(widgetLink(model), { schedule: (run) => run() }) };
};

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

test('traits of Python are there from the start, and followed', () => {
  const { model, host } = make({ options: { readonly: true }, credentials: [{ name: 'db', kind: 'postgres' }] });
  expect(host.options.get()).toMatchObject({ readonly: true, theme: 'auto', capabilities: [] });
  expect(host.credentials.get()).toHaveLength(1);
  model.fromPython('options', { readonly: false, capabilities: ['run'] });
  expect(host.options.get()).toMatchObject({ readonly: false, capabilities: ['run'] });
  model.fromPython('notice', 'no kernel');
  expect(host.notice.get()).toBe('no kernel');
});

test('an edit goes to Python at once, and its echo is no change', () => {
  const { model, host } = make();
  const heard = vi.fn();
  host.setFlow(chain('a', 'b'));
  host.flow.subscribe(heard);
  expect(model.saved).toHaveLength(1);
  model.fromPython('flow', writeFlow(chain('a', 'b')));
  expect(heard).not.toHaveBeenCalled();
});

test('while somebody types, documents go at most every 250 ms, and the last one goes', () => {
  const { model, host } = make();
  for (const last of ['b', 'c', 'd', 'e']) host.setFlow(chain('a', last));
  expect(model.saved).toHaveLength(1);
  vi.advanceTimersByTime(250);
  expect(model.saved).toHaveLength(2);
  expect(model.saved[1]).toEqual(writeFlow(chain('a', 'e')));
  vi.advanceTimersByTime(1000);
  expect(model.saved).toHaveLength(2);
});

test('a command comes after the flow that it means', () => {
  const { model, host } = make();
  host.setFlow(chain('a', 'b'));
  host.setFlow(chain('a', 'c'));
  const order: string[] = [];
  model.save_changes = () => void order.push('flow');
  model.send = () => void order.push('command');
  host.command({ name: 'run' });
  expect(order).toEqual(['flow', 'command']);
});

test('a rename is told before the flow that has it', () => {
  const { model, host } = make();
  const order: unknown[] = [];
  model.save_changes = () => void order.push('flow');
  model.send = (message) => void order.push(message);
  host.setFlow(chain('z'), { renamed: { from: 'a', to: 'z' } });
  expect(order).toEqual([{ kind: 'renamed', from: 'a', to: 'z' }, 'flow']);
});

test('a flow that Python sets is shown', () => {
  const { model, host } = make();
  model.fromPython('flow', writeFlow(chain('x', 'y')));
  expect(ids(host.flow.get())).toEqual(['x', 'y']);
});

test('a question is answered by its own answer', async () => {
  const { model, host } = make();
  const [one, two] = [host.ask('code', {}), host.ask('code', {})];
  const asked = model.sent.map((message) => (message.kind === 'ask' ? message.id : ''));
  model.emit('msg:custom', { kind: 'answer', id: asked[1], answer: { source: 'two' } });
  model.emit('msg:custom', { kind: 'answer', id: 'of-another-page', answer: { source: 'no' } });
  model.emit('msg:custom', { kind: 'answer', id: asked[0], answer: { source: 'one' } });
  expect([await one, await two]).toEqual([{ source: 'one' }, { source: 'two' }]);
});

test('an error is told in its own words, and a silent kernel after a minute', async () => {
  const { model, host } = make();
  const refused = host.ask('inspect', { node: 'a', execution_id: null });
  const [message] = model.sent;
  model.emit('msg:custom', { kind: 'answer', id: message?.kind === 'ask' ? message.id : '', error: 'no such execution' });
  await expect(refused).rejects.toThrow('no such execution');
  const silent = host.ask('code', {});
  vi.advanceTimersByTime(60_001);
  await expect(silent).rejects.toThrow(/busy/);
});

test('statuses come by keyframe and by delta, and those that came early count', () => {
  const model = new FakeModel({ flow: {}, statuses: { seq: 1, execution: { id: 'x', status: 'running' }, nodes: { a: { status: 'running' } } } });
  const host = new LinkedHost(widgetLink(model), { early: [{ kind: 'statuses', seq: 2, nodes: { b: { status: 'running' } } }], schedule: (run) => run() });
  expect(host.statuses.get('a').status).toBe('running');
  expect(host.statuses.get('b').status).toBe('running');
  model.emit('msg:custom', { kind: 'statuses', seq: 3, nodes: { a: { status: 'completed' } } });
  expect(host.statuses.get('a').status).toBe('completed');
  model.fromPython('statuses', { seq: 9, execution: { id: 'x', status: 'completed' }, nodes: {} });
  expect(host.statuses.execution()?.status).toBe('completed');
});

test('messages of others are left alone', () => {
  const { model, host } = make();
  for (const message of [null, 'text', { kind: 'statuses' }, { kind: 'answer' }, { method: 'custom' }]) model.emit('msg:custom', message);
  expect(host.statuses.execution()).toBeNull();
});

test('a closed host hears nothing, and what waits is told', async () => {
  const { model, host } = make();
  const waits = host.ask('code', {});
  host.close();
  model.fromPython('flow', writeFlow(chain('x')));
  expect(ids(host.flow.get())).toEqual(['a']);
  await expect(waits).rejects.toThrow('closed');
});

test("Panel's model carries the same", () => {
  const listeners = new Map<string, (message: unknown) => void>();
  const sent: unknown[] = [];
  const model = { flow: writeFlow(chain('a')), on: (event: string, listener: (message: unknown) => void) => void listeners.set(event, listener), send_msg: (message: unknown) => void sent.push(message) } as unknown as PanelModel;
  const host = new LinkedHost(panelLink(model), { schedule: (run) => run() });
  host.setFlow(chain('a', 'b'));
  expect(model['flow']).toEqual(writeFlow(chain('a', 'b')));
  host.command({ name: 'run_to', node: 'b' });
  expect(sent).toEqual([{ kind: 'command', name: 'run_to', node: 'b' }]);
  listeners.get('msg:custom')?.({ kind: 'statuses', seq: 1, nodes: { a: { status: 'failed' } } });
  expect(host.statuses.get('a').status).toBe('failed');
  model['flow'] = writeFlow(chain('q'));
  listeners.get('flow')?.({});
  expect(ids(host.flow.get())).toEqual(['q']);
});
