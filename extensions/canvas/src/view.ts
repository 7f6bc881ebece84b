/** What one view shows and selects. Not part of the document; two views of one flow differ in it. */

import type { Point } from './document';
import { Store } from './store';

export type Tab = 'configure' | 'settings' | 'data' | 'about';

export type FlowTab = 'flow' | 'problems' | 'code';

/** From which port "what comes next" was asked; `in`: the new node goes before it. */
export interface From {
  node: string;
  port: string;
  way: 'out' | 'in';
}

export interface Adding {
  at: Point; // in the flow
  screen: Point; // in the canvas element, where the list opens
  from: From | null;
  edge: string | null; // id of an edge to be split
  parent: string | null;
}

export interface Toast {
  text: string;
  tone: 'info' | 'error';
  undo?: boolean;
}

export class View {
  readonly selected = new Store<ReadonlySet<string>>(new Set());
  readonly edges = new Store<ReadonlySet<string>>(new Set());
  /** The node that keys act on; one of the selected, or none. */
  readonly current = new Store<string | null>(null);
  readonly tab = new Store<Tab>('configure');
  readonly panel = new Store(true);
  readonly wide = new Store(false); // the node's three columns over the canvas
  readonly palette = new Store(true);
  readonly flowPanel = new Store(false);
  readonly flowTab = new Store<FlowTab>('flow');
  readonly adding = new Store<Adding | null>(null);
  readonly renaming = new Store<string | null>(null);
  /** Connecting by keyboard: from this node, to the one that Enter chooses. */
  readonly linking = new Store<string | null>(null);
  readonly help = new Store(false);
  readonly toast = new Store<Toast | null>(null);
  readonly spoken = new Store(''); // told to screen readers
  readonly execution = new Store<string | null>(null); // shown instead of the newest

  select(ids: Iterable<string>, current?: string | null): void {
    const next = new Set(ids);
    this.selected.set(next);
    this.edges.set(new Set());
    this.current.set(current === undefined ? ([...next].at(-1) ?? null) : current);
    if (next.size !== 1) this.wide.set(false);
    if (next.size) this.flowPanel.set(false);
  }

  say(text: string): void {
    // the same sentence twice must be a change, or it is not spoken again
    this.spoken.set(this.spoken.get() === text ? `${text}\u00a0` : text);
  }

  tell(text: string, tone: Toast['tone'] = 'info', undo = false): void {
    this.toast.set({ text, tone, undo });
    this.say(text);
  }
}
