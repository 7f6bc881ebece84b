/** Undo and redo. Steps with the same key that follow each other quickly are one: typing a word, dragging, nudging with arrows. */

import type { Flow } from './document';

export const PAUSE_MS = 900; // a longer pause begins a new step
const DEPTH = 200;

interface Step {
  flow: Flow; // before the step
  label: string;
}

export class History {
  private past: Step[] = [];
  private future: Step[] = [];
  private key: string | null = null;
  private last = 0;

  /** Notes that the flow goes from `before` to something else. Without a key the step stands alone. */
  record(before: Flow, label: string, key: string | null, now: number): void {
    const joins = key !== null && key === this.key && now - this.last < PAUSE_MS && this.past.length > 0;
    if (!joins) {
      this.past.push({ flow: before, label });
      if (this.past.length > DEPTH) this.past.shift();
    }
    this.future = [];
    this.key = key;
    this.last = now;
  }

  get undoLabel(): string | null {
    return this.past.at(-1)?.label ?? null;
  }

  get redoLabel(): string | null {
    return this.future.at(-1)?.label ?? null;
  }

  undo(current: Flow): Flow | null {
    return this.swap(this.past, this.future, current);
  }

  redo(current: Flow): Flow | null {
    return this.swap(this.future, this.past, current);
  }

  private swap(from: Step[], to: Step[], current: Flow): Flow | null {
    const step = from.pop();
    if (!step) return null;
    to.push({ flow: current, label: step.label });
    this.key = null;
    return step.flow;
  }
}
