/** A host on the other side of a Link: the protocol, told once for every carrier. Views of one model share it, and its status store. */

import { EMPTY_CATALOGUE, type Catalogue } from './catalogue';
import { readFlow, writeFlow, type Flow } from './document';
import { DEFAULT_OPTIONS, NO_SAMPLES, UNCHECKED, type Checked, type Command, type Credential, type Host, type Options, type PastExecution, type Pin, type Questions, type Samples } from './host';
import { asObject, equal, type JsonObject } from './json';
import { isFromPython, type Answer, type Link } from './protocol';
import { StatusStore, type Frame, type Schedule } from './statuses';
import { Store } from './store';

const PATIENCE_MS = 60_000; // a kernel hears nothing while it runs a cell
const WRITE_MS = 250; // between two documents while a person types
const BUSY = 'No answer: the kernel may be busy with a cell. It answers when that has ended; ask again then.';

interface Waiting {
  resolve(answer: never): void;
  reject(error: Error): void;
  timer: ReturnType<typeof setTimeout>;
}

export class LinkedHost implements Host {
  readonly flow: Store<Flow>;
  readonly catalogue: Store<Catalogue>;
  readonly checked: Store<Checked>;
  readonly samples: Store<Samples>;
  readonly credentials: Store<readonly Credential[]>;
  readonly executions: Store<readonly PastExecution[]>;
  readonly pins: Store<Readonly<Record<string, Pin>>>;
  readonly options: Store<Options>;
  readonly notice: Store<string | null>;
  readonly statuses: StatusStore;
  private readonly leave: (() => void)[] = [];
  private readonly waiting = new Map<string, Waiting>();
  private known: JsonObject; // the document as Python has it, as far as we know
  private unwritten: ReturnType<typeof setTimeout> | null = null;
  private writtenAt = -Infinity;
  private asked = 0;
  private readonly me = Math.random().toString(36).slice(2, 8); // several pages may hold views of one kernel's model

  constructor(
    private readonly link: Link,
    { early = [], schedule }: { early?: readonly unknown[]; schedule?: Schedule } = {},
  ) {
    this.statuses = new StatusStore(schedule);
    this.known = asObject(link.get('flow'));
    this.flow = new Store(readFlow(this.known));
    this.catalogue = this.follow('catalogue', (value) => this.readCatalogue(value));
    this.checked = this.follow('checked', (value) => ({ ...UNCHECKED, ...(asObject(value) as Partial<Checked>) }));
    this.samples = this.follow('samples', (value) => ({ ...NO_SAMPLES, ...(asObject(value) as Partial<Samples>) }));
    this.credentials = this.follow('credentials', (value) => ((Array.isArray(value) ? value : []) as readonly Credential[]));
    this.executions = this.follow('executions', (value) => ((Array.isArray(value) ? value : []) as readonly PastExecution[]));
    this.pins = this.follow('pins', (value) => asObject(value) as unknown as Record<string, Pin>);
    this.options = this.follow('options', (value) => ({ ...DEFAULT_OPTIONS, ...(asObject(value) as Partial<Options>) }));
    this.notice = this.follow('notice', (value) => (typeof value === 'string' && value ? value : null));
    this.leave.push(link.onChange('flow', this.hearFlow), link.onChange('statuses', this.hearKeyframe), link.onMessage(this.hear));
    this.hearKeyframe();
    for (const message of early) this.hear(message);
    this.askCatalogue();
    this.leave.push(link.onChange('catalogue', () => this.askCatalogue()));
  }

  /** Until the answer comes, a catalogue that is only told of by its version stays the one that is known. */
  private readCatalogue(value: unknown): Catalogue {
    const told = asObject(value) as Partial<Catalogue>;
    return told.types ? { ...EMPTY_CATALOGUE, ...told } : (this.catalogue?.get() ?? EMPTY_CATALOGUE);
  }

  /** Large, and the same for all: a widget's state, which notebooks keep, has only its version. */
  private askCatalogue(): void {
    if (!('version' in asObject(this.link.get('catalogue')))) return;
    this.ask('catalogue', {}).then(
      (answer) => this.catalogue.set({ ...EMPTY_CATALOGUE, ...answer }),
      () => undefined, // the kernel is busy or gone: what the flow needs is drawn all the same
    );
  }

  close(): void {
    this.write();
    for (const leave of this.leave) leave();
    for (const { timer, reject } of this.waiting.values()) {
      clearTimeout(timer);
      reject(new Error('The canvas was closed.'));
    }
    this.waiting.clear();
  }

  setFlow(flow: Flow, hint?: { renamed?: { from: string; to: string } }): void {
    if (hint?.renamed) this.write(); // what was typed before belongs to the old id
    this.flow.set(flow);
    if (hint?.renamed) this.link.send({ kind: 'renamed', ...hint.renamed });
    if (this.unwritten !== null) return;
    const wait = hint?.renamed ? 0 : this.writtenAt + WRITE_MS - Date.now();
    this.unwritten = setTimeout(() => this.write(), Math.max(0, wait));
    if (wait <= 0) this.write();
  }

  /** Tells Python the flow as it is, if it does not know it. */
  private write(): void {
    if (this.unwritten === null) return;
    clearTimeout(this.unwritten);
    this.unwritten = null;
    this.writtenAt = Date.now();
    this.known = writeFlow(this.flow.get());
    this.link.writeFlow(this.known);
  }

  command(command: Command): void {
    this.write();
    this.link.send({ kind: 'command', ...command });
  }

  ask<Q extends keyof Questions>(question: Q, ask: Questions[Q]['ask']): Promise<Questions[Q]['answer']> {
    this.write();
    this.asked += 1;
    const id = `${this.me}-${this.asked}`;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.waiting.delete(id);
        reject(new Error(BUSY));
      }, PATIENCE_MS);
      this.waiting.set(id, { resolve, reject, timer });
      this.link.send({ kind: 'ask', id, question, ask });
    });
  }

  private follow<T>(trait: 'catalogue' | 'checked' | 'samples' | 'credentials' | 'executions' | 'pins' | 'options' | 'notice', read: (value: unknown) => T): Store<T> {
    const store = new Store(read(this.link.get(trait)));
    this.leave.push(this.link.onChange(trait, () => store.set(read(this.link.get(trait)))));
    return store;
  }

  /** Carriers tell of our own changes too, and of documents that only look different: neither is a change. */
  private hearFlow = (): void => {
    const document = asObject(this.link.get('flow'));
    if (equal(document, this.known)) return;
    if (this.unwritten !== null) clearTimeout(this.unwritten);
    this.unwritten = null;
    this.known = document;
    this.flow.set(readFlow(document));
  };

  private hearKeyframe = (): void => {
    const frame = asObject(this.link.get('statuses')) as unknown as Partial<Frame>;
    if (typeof frame.seq === 'number' && frame.nodes) this.statuses.keyframe({ seq: frame.seq, execution: frame.execution ?? null, nodes: frame.nodes });
  };

  private hear = (message: unknown): void => {
    if (!isFromPython(message)) return;
    if (message.kind === 'statuses') this.statuses.delta(message);
    else this.settle(message);
  };

  private settle(answer: Answer): void {
    const waiting = this.waiting.get(answer.id);
    if (!waiting) return; // asked by another page, or too late
    this.waiting.delete(answer.id);
    clearTimeout(waiting.timer);
    if ('error' in answer) waiting.reject(new Error(String(answer.error)));
    else waiting.resolve(answer.answer as never);
  }
}
