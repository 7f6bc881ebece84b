import { beforeEach, describe, expect, it, vi } from 'vitest';
import { SocketLink, type Surroundings } from '../src/document/socket';
import type { FlowJson, FlowText } from '../src/document/text';

/** The other end, in a browser's words. */
class FakeSocket {
  readyState = 0;
  sent: Record<string, unknown>[] = [];
  onopen: () => void = () => undefined;
  onmessage: (event: { data: string }) => void = () => undefined;
  onclose: (event: { code: number }) => void = () => undefined;
  open(): this {
    this.readyState = 1;
    this.onopen();
    return this;
  }
  drop(code = 1006): void {
    this.readyState = 3;
    this.onclose({ code });
  }
  hear(frame: unknown): void {
    this.onmessage({ data: JSON.stringify(frame) });
  }
  send(text: string): void {
    this.sent.push(JSON.parse(text) as Record<string, unknown>);
  }
  close(): void {
    this.drop(1000);
  }
}

let sockets: FakeSocket[];
let flow: FlowJson;
let edited: () => void;

function linkWith(more: Partial<Surroundings> = {}): SocketLink {
  sockets = [];
  flow = { nbflow: 1, name: 'x' };
  const text = { read: () => flow, write: (next: FlowJson) => (flow = next), onChange: (listener: () => void) => ((edited = listener), () => undefined) };
  return new SocketLink({
    text: text as unknown as FlowText,
    connect: () => {
      const socket = new FakeSocket();
      sockets.push(socket);
      return socket as unknown as WebSocket;
    },
    session: { key: 'a', renew: () => undefined },
    options: () => ({ height: null }),
    intercept: () => false,
    ...more,
  });
}

describe('the link over a socket', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });

  it('says first which document it is, with its text', () => {
    linkWith();
    expect(sockets[0]!.open().sent).toEqual([{ open: 'a', flow: { nbflow: 1, name: 'x' } }]);
  });

  it('tells traits, and lets the application speak over options', () => {
    const link = linkWith();
    const heard = vi.fn();
    link.onChange('options', heard);
    sockets[0]!.open().hear({ trait: 'options', value: { height: 520, capabilities: ['run'] } });
    expect(heard).toHaveBeenCalledOnce();
    expect(link.get('options')).toEqual({ height: null, capabilities: ['run'] });
  });

  it('writes the flow into the text and to the session', () => {
    const link = linkWith();
    sockets[0]!.open();
    link.writeFlow({ nbflow: 1, name: 'y' });
    expect(flow['name']).toBe('y');
    expect(sockets[0]!.sent.at(-1)).toEqual({ flow: { nbflow: 1, name: 'y' } });
  });

  it('takes a flow from Python into the text', () => {
    const link = linkWith();
    const heard = vi.fn();
    link.onChange('flow', heard);
    sockets[0]!.open().hear({ trait: 'flow', value: { nbflow: 1, name: 'python' } });
    expect([flow['name'], heard.mock.calls.length]).toEqual(['python', 1]);
  });

  it('tells the session of a revert', () => {
    linkWith();
    sockets[0]!.open();
    flow = { nbflow: 1, name: 'reverted' };
    edited();
    expect(sockets[0]!.sent.at(-1)).toEqual({ flow: { nbflow: 1, name: 'reverted' } });
  });

  it('comes back after the connection broke, with the text as it is then, and sends what waited', () => {
    const link = linkWith();
    sockets[0]!.open().drop();
    expect(link.get('notice')).toContain('No connection');
    link.writeFlow({ nbflow: 1, name: 'meanwhile' });
    link.send({ kind: 'command', name: 'run' });
    vi.advanceTimersByTime(600);
    sockets[1]!.open();
    expect(link.get('notice')).toBeUndefined();
    expect(sockets[1]!.sent).toEqual([
      { open: 'a', flow: { nbflow: 1, name: 'meanwhile' } },
      { message: { kind: 'command', name: 'run' } },
    ]);
  });

  it('waits longer each time, ten seconds at most', () => {
    linkWith();
    for (let time = 0; time < 8; time += 1) {
      sockets.at(-1)!.drop();
      vi.advanceTimersByTime(10_000);
    }
    expect(sockets).toHaveLength(9);
    sockets.at(-1)!.drop();
    vi.advanceTimersByTime(9_900);
    expect(sockets).toHaveLength(9);
  });

  it('takes a session of its own when another window has this one', () => {
    const renew = vi.fn();
    linkWith({ session: { key: 'a', renew } });
    sockets[0]!.open().drop(4001);
    expect(renew).toHaveBeenCalledOnce();
  });

  it('keeps commands that the application does itself', () => {
    const link = linkWith({ intercept: (message) => message.kind === 'command' && message.name === 'save' });
    sockets[0]!.open();
    link.send({ kind: 'command', name: 'save' });
    expect(sockets[0]!.sent).toHaveLength(1);
  });

  it('ends for good when the document is closed', () => {
    linkWith().dispose();
    vi.advanceTimersByTime(60_000);
    expect(sockets).toHaveLength(1);
  });
});
