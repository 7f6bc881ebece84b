/**
 * What is known of an execution, kept out of React: a status may change ten thousand times a second. The last value of each node is kept
 * and told to whoever watches that node, at most every 66 ms. A keyframe is the whole truth; deltas that are older than it are dropped.
 */

export const FLUSH_MS = 66;

export type StatusWord = 'pending' | 'running' | 'waiting' | 'completed' | 'failed' | 'cancelled' | 'skipped';

export interface NodeStatus {
  status: StatusWord;
  detail?: string; // "1.2 s", "12/40": display/state.py NodeState.detail
  fraction?: number | null; // 0 to 1
  message?: string;
  items?: Record<string, number>; // by output port: how many items went out
  error?: string; // first line
  attempt?: number;
}

export interface ExecutionStatus {
  id: string;
  status: StatusWord;
  elapsed?: string;
  done?: number;
  total?: number;
  error?: string;
  error_node?: string;
}

export interface Frame {
  seq: number;
  execution?: ExecutionStatus | null;
  nodes: Record<string, NodeStatus>;
}

type Listener = () => void;
const NONE: NodeStatus = { status: 'pending' };

/** Runs a function soon; a test passes its own. */
export type Schedule = (run: () => void) => void;

const onFrame: Schedule = (run) => {
  // a hidden tab gets no animation frames, but must not collect changes without end
  if (typeof document === 'undefined' || document.hidden) setTimeout(run, FLUSH_MS);
  else setTimeout(() => requestAnimationFrame(run), FLUSH_MS - 16);
};

export class StatusStore {
  private nodes = new Map<string, NodeStatus>();
  private listeners = new Map<string, Set<Listener>>();
  private everyone = new Set<Listener>();
  private dirty = new Set<string>();
  private waiting = false;
  private seq = -1;
  private run: ExecutionStatus | null = null;

  constructor(private readonly schedule: Schedule = onFrame) {}

  get(id: string): NodeStatus {
    return this.nodes.get(id) ?? NONE;
  }

  execution = (): ExecutionStatus | null => this.run;

  ids(): IterableIterator<string> {
    return this.nodes.keys();
  }

  /** Everything as it is; nodes that it does not name have no status. */
  keyframe(frame: Frame): void {
    if (frame.seq < this.seq && frame.execution?.id === this.run?.id) return;
    for (const id of this.nodes.keys()) if (!(id in frame.nodes)) this.dirty.add(id);
    this.nodes = new Map(Object.entries(frame.nodes));
    for (const id of this.nodes.keys()) this.dirty.add(id);
    this.seq = frame.seq;
    this.run = frame.execution ?? null;
    this.soon();
  }

  /** What changed since the frame before. */
  delta(frame: Frame): void {
    if (frame.seq <= this.seq) return;
    this.seq = frame.seq;
    if (frame.execution !== undefined) this.run = frame.execution;
    for (const id in frame.nodes) {
      this.nodes.set(id, frame.nodes[id] as NodeStatus);
      this.dirty.add(id);
    }
    this.soon();
  }

  clear(): void {
    this.keyframe({ seq: this.seq, execution: null, nodes: {} });
  }

  watch(id: string, listener: Listener): () => void {
    const found = this.listeners.get(id) ?? new Set<Listener>();
    this.listeners.set(id, found.add(listener));
    return () => {
      found.delete(listener);
      if (!found.size) this.listeners.delete(id);
    };
  }

  /** Told once a flush, for what shows the execution as a whole. */
  watchAll = (listener: Listener): (() => void) => {
    this.everyone.add(listener);
    return () => this.everyone.delete(listener);
  };

  private soon(): void {
    if (this.waiting) return;
    this.waiting = true;
    this.schedule(this.flush);
  }

  private flush = (): void => {
    this.waiting = false;
    const changed = this.dirty;
    this.dirty = new Set();
    for (const id of changed) for (const listener of [...(this.listeners.get(id) ?? [])]) listener();
    for (const listener of [...this.everyone]) listener();
  };
}
