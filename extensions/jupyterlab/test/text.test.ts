import { describe, expect, it } from 'vitest';
import { flowOf, FlowText, newFlow, NoFlowError, textOf, type FlowJson } from '../src/document/text';

/** As much of Lab's context and model as a text needs. */
function contextOf(text: string, path = 'orders.flow.json') {
  const listeners = new Set<() => void>();
  const model = {
    dirty: false,
    toString: () => text,
    fromString(next: string) {
      text = next;
      listeners.forEach((listener) => listener());
    },
    contentChanged: { connect: (listener: () => void) => listeners.add(listener), disconnect: (listener: () => void) => listeners.delete(listener) },
  };
  return { path, model } as unknown as ConstructorParameters<typeof FlowText>[0] & { model: typeof model };
}

describe('the text of a flow', () => {
  it('is named after a new file', () => {
    expect(newFlow('a/daily orders.flow.json')).toEqual({ nbflow: 1, name: 'daily orders' });
    expect(flowOf('  \n', 'b.flow.json').name).toBe('b');
  });

  it('is refused when it is none, with the reason', () => {
    for (const [text, reason] of [
      ['{', 'not JSON'],
      ['[]', 'a flow is an object'],
      ['{}', 'no key "nbflow"'],
      ['{"nbflow": 7}', 'version 7'],
    ] as const) {
      expect(() => flowOf(text, 'x'), text).toThrow(NoFlowError);
      expect(() => flowOf(text, 'x'), text).toThrow(reason);
    }
  });

  it('keeps keys that nobody knows, and is canonical', () => {
    const flow = flowOf('{"nbflow":1,"name":"x","mine":{"kept":true}}', 'x');
    expect(JSON.parse(textOf(flow))).toEqual({ nbflow: 1, name: 'x', mine: { kept: true } });
    expect(textOf(flow)).toBe('{\n  "nbflow": 1,\n  "name": "x",\n  "mine": {\n    "kept": true\n  }\n}\n');
  });

  it('makes the document dirty when it is written, not when nothing changed', () => {
    const context = contextOf(textOf({ nbflow: 1, name: 'x' }));
    const text = new FlowText(context);
    text.write({ nbflow: 1, name: 'x' });
    expect(context.model.dirty).toBe(false);
    text.write({ nbflow: 1, name: 'y' });
    expect(context.model.dirty).toBe(true);
    expect(context.model.toString()).toContain('"y"');
  });

  it('hears of a revert, not of itself', () => {
    const context = contextOf(textOf({ nbflow: 1, name: 'x' }));
    const text = new FlowText(context);
    const heard: FlowJson[] = [];
    text.onChange(() => heard.push(text.read()));
    text.write({ nbflow: 1, name: 'y' });
    expect(heard).toEqual([]);
    context.model.fromString('{"nbflow": 1, "name": "z"}');
    expect(heard).toEqual([{ nbflow: 1, name: 'z' }]);
  });

  it('waits for a whole document while somebody types beside', () => {
    const context = contextOf(textOf({ nbflow: 1, name: 'x' }));
    const text = new FlowText(context);
    context.model.fromString('{"nbflow": 1, "na');
    expect(text.read()['name']).toBe('x');
    text.dispose();
    context.model.fromString('{"nbflow": 1, "name": "w"}');
    expect(text.read()['name']).toBe('x');
  });
});
