/** What the panel shows of the project, read anew every few seconds while somebody looks at it. */

import { Poll } from '@lumino/polling';
import { Signal, type ISignal } from '@lumino/signaling';
import type { Execution, Status, Webhook, Workflow } from './records';
import { messageOf, type Server } from './server';

const SLOW = 5; // workflows and webhooks change seldom: each so many looks

export class Project {
  executions: readonly Execution[] = [];
  workflows: readonly Workflow[] = [];
  webhooks: readonly Webhook[] = [];
  /** What stands in the way, for a person. */
  trouble: string | null = null;
  /** Something was read. Before that, the project's server may be starting. */
  known = false;
  status: Status | null = null;
  private readonly changes = new Signal<this, void>(this);
  private readonly poll: Poll;
  private looks = 0;

  constructor(
    readonly server: Server,
    private readonly isLookedAt: () => boolean,
    seconds: number,
  ) {
    this.poll = new Poll({
      auto: true,
      factory: () => this.look(),
      frequency: frequency(seconds),
      standby: () => (this.isLookedAt() && !document.hidden ? 'never' : 'when-hidden'),
      name: 'nbflow:project',
    });
  }

  get changed(): ISignal<this, void> {
    return this.changes;
  }

  set seconds(seconds: number) {
    this.poll.frequency = frequency(seconds);
  }

  /** Now, and everything. */
  refresh(): void {
    this.looks = 0;
    void this.poll.refresh();
  }

  only(status: Status | null): void {
    this.status = status;
    this.changes.emit();
    this.refresh();
  }

  dispose(): void {
    this.poll.dispose();
    Signal.clearData(this);
  }

  private async look(): Promise<void> {
    if (!this.isLookedAt() || document.hidden) return;
    const { status } = this;
    const all = this.looks % SLOW === 0;
    try {
      const [executions, workflows, webhooks] = await Promise.all([
        this.server.executions(status),
        all ? this.server.workflows() : this.workflows,
        all ? this.server.webhooks() : this.webhooks,
      ]);
      this.looks += 1;
      if (status !== this.status) return; // the answer to a question that nobody has any more
      Object.assign(this, { executions, workflows, webhooks, trouble: null, known: true });
    } catch (error) {
      this.looks = 0;
      this.trouble = messageOf(error);
      this.changes.emit();
      throw error; // the poll waits longer each time
    }
    this.changes.emit();
  }
}

const frequency = (seconds: number) => ({ interval: seconds * 1000, max: 30_000, backoff: true });
