/** One execution as it goes on: read again whenever its events say that something happened. */

import { Signal, type ISignal } from '@lumino/signaling';
import { hasEnded, type ExecutionDetail } from '../records';
import { messageOf, RefusedError, type Server } from '../server';

const READ_MS = 400; // at most so often
const AGAIN_MS = 2000;
const LOOKS_FOR_NEW = 10; // the store hears of an execution a moment after it began

export class Followed {
  detail: ExecutionDetail | null = null;
  trouble: string | null = null;
  private readonly changes = new Signal<this, void>(this);
  private readonly ending = new AbortController();

  constructor(
    private readonly server: Server,
    readonly id: string,
  ) {
    void this.follow();
  }

  get changed(): ISignal<this, void> {
    return this.changes;
  }

  dispose(): void {
    this.ending.abort();
    Signal.clearData(this);
  }

  private async follow(): Promise<void> {
    const { signal } = this.ending;
    for (let missing = 0; !signal.aborted; ) {
      try {
        await this.read();
        while (this.detail && !hasEnded(this.detail.status) && !signal.aborted) {
          await this.watch();
          await this.read();
          if (this.detail && !hasEnded(this.detail.status)) await delay(AGAIN_MS);
        }
        return;
      } catch (error) {
        if (signal.aborted) return;
        missing += error instanceof RefusedError && error.status === 404 ? 1 : 0;
        this.tell(messageOf(error));
        if (missing >= LOOKS_FOR_NEW) return;
        await delay(AGAIN_MS);
      }
    }
  }

  private async watch(): Promise<void> {
    let readAt = Date.now();
    for await (const event of this.server.events(this.id, this.ending.signal)) {
      if (event.event === 'finished') return;
      if (Date.now() - readAt < READ_MS) continue;
      await this.read();
      readAt = Date.now();
    }
  }

  private async read(): Promise<void> {
    this.detail = await this.server.execution(this.id);
    this.tell(null);
  }

  private tell(trouble: string | null): void {
    this.trouble = trouble;
    this.changes.emit();
  }
}

const delay = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));
