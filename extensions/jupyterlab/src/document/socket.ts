/** A Link over one websocket to the Jupyter server, which has the document's session. The flow is the text's; everything else comes from there. */

import type { Link } from '@nbflow/canvas';
import type { FlowJson, FlowText } from './text';

type Trait = Parameters<Link['get']>[0];
type ToPython = Parameters<Link['send']>[0];

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;
const TAKEN_OVER = 4001; // nbflow/jupyter/canvas.py
const LOST = 'No connection to Jupyter: you can go on editing and saving waits; running is possible when it is back.';

export interface Surroundings {
  readonly text: FlowText;
  readonly connect: () => WebSocket;
  /** Names this document in this window: after a reload its session is found by it. */
  readonly session: { key: string; renew(): void };
  /** What the application says about options, over what the session says. */
  readonly options: () => Record<string, unknown>;
  /** Sees a command first; true keeps it from the session. */
  readonly intercept: (message: ToPython) => boolean;
}

export class SocketLink implements Link {
  private readonly traits = new Map<string, unknown>();
  private readonly changes = new Map<string, Set<() => void>>();
  private readonly messages = new Set<(message: unknown) => void>();
  private readonly unhear: () => void;
  private socket: WebSocket | null = null;
  private waiting: unknown[] = [];
  private wait = FIRST_WAIT_MS;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private ended = false;
  private opened = false;
  private markReady: () => void = () => undefined;
  /** The session has told everything for the first time. */
  readonly ready: Promise<void>;

  constructor(private readonly around: Surroundings) {
    this.ready = new Promise((resolve) => (this.markReady = resolve));
    this.unhear = around.text.onChange(() => {
      this.changed('flow');
      this.tell({ flow: around.text.read() });
    });
    this.connect();
  }

  get(trait: Trait): unknown {
    if (trait === 'flow') return this.around.text.read();
    if (trait === 'options') return { ...(this.traits.get('options') as object | undefined), ...this.around.options() };
    if (trait === 'notice' && !this.opened) return this.traits.get('lost') ?? null;
    return this.traits.get(trait);
  }

  /** What the session said, without the application's word. */
  told(trait: Trait): unknown {
    return this.traits.get(trait);
  }

  onChange(trait: Trait, listener: () => void): () => void {
    const listeners = this.changes.get(trait) ?? new Set();
    this.changes.set(trait, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  writeFlow(flow: FlowJson): void {
    this.around.text.write(flow);
    this.tell({ flow });
  }

  send(message: ToPython): void {
    if (!this.around.intercept(message)) this.deliver(message);
  }

  /** To the session; later, when there is no connection. `params` are values of the flow's parameters for runs from here on. */
  deliver(message: ToPython, params?: Record<string, unknown>): void {
    const frames = [...(params ? [{ params }] : []), { message }];
    for (const frame of frames) if (!this.tell(frame)) this.waiting.push(frame);
  }

  onMessage(listener: (message: unknown) => void): () => void {
    this.messages.add(listener);
    return () => this.messages.delete(listener);
  }

  /** The application's word on options is another now. */
  optionsChanged(): void {
    this.changed('options');
  }

  dispose(): void {
    this.ended = true;
    if (this.timer !== null) clearTimeout(this.timer);
    this.unhear();
    this.socket?.close();
  }

  private connect(): void {
    this.timer = null;
    const socket = (this.socket = this.around.connect());
    socket.onopen = () => {
      this.wait = FIRST_WAIT_MS;
      const { session, text } = this.around;
      socket.send(JSON.stringify({ open: session.key, flow: text.read() }));
      this.opened = true;
      this.lost(null);
      for (const frame of this.waiting.splice(0)) this.tell(frame);
    };
    socket.onmessage = ({ data }) => this.hear(JSON.parse(String(data)) as Record<string, unknown>);
    socket.onclose = ({ code }) => this.closed(code);
  }

  private closed(code: number): void {
    this.socket = null;
    this.opened = false;
    if (this.ended) return;
    if (code === TAKEN_OVER) this.around.session.renew(); // a copy of this window: each has a session of its own
    else this.lost(LOST);
    this.timer = setTimeout(() => this.connect(), this.wait);
    this.wait = Math.min(this.wait * 2, LONGEST_WAIT_MS);
  }

  private lost(notice: string | null): void {
    this.traits.set('lost', notice);
    this.changed('notice');
  }

  /** False: nobody heard it. */
  private tell(frame: unknown): boolean {
    if (!this.opened || this.socket?.readyState !== 1) return false;
    this.socket.send(JSON.stringify(frame));
    return true;
  }

  private hear(frame: Record<string, unknown>): void {
    if ('ready' in frame) this.markReady();
    else if ('message' in frame) for (const listener of [...this.messages]) listener(frame['message']);
    else if (frame['trait'] === 'flow') {
      this.around.text.write(frame['value'] as FlowJson);
      this.changed('flow');
    } else {
      this.traits.set(String(frame['trait']), frame['value']);
      this.changed(String(frame['trait']));
    }
  }

  private changed(trait: string): void {
    for (const listener of [...(this.changes.get(trait) ?? [])]) listener();
  }
}
