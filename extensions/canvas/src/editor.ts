/** One flow being edited, shared by all views of it: the document, its undo steps, and what the views derive from it. */

import { typeMap, typeOf, type NodePorts, type NodeType, type TypeMap } from './catalogue';
import type { Flow } from './document';
import { NO_FIELDS, type ExpressionFields } from './expressions';
import { History } from './history';
import type { Host } from './host';
import { Store } from './store';

export class Editor {
  readonly flow: Store<Flow>;
  readonly steps = new Store<{ undo: string | null; redo: string | null }>({ undo: null, redo: null });
  private readonly history = new History();
  private types: TypeMap;
  private readonly leave: (() => void)[];

  constructor(
    readonly host: Host,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.flow = new Store(host.flow.get());
    this.types = typeMap(host.catalogue.get());
    this.leave = [
      host.flow.subscribe(this.follow),
      host.catalogue.subscribe(() => {
        this.types = typeMap(host.catalogue.get());
      }),
    ];
  }

  close(): void {
    for (const leave of this.leave) leave();
  }

  /** Does an edit as one step. `key` joins it to the step before, see history.ts. */
  edit(label: string, change: (flow: Flow) => Flow, options: { key?: string; renamed?: { from: string; to: string } } = {}): Flow {
    const before = this.flow.get();
    if (this.host.options.get().readonly) return before;
    const after = change(before);
    if (after === before) return before;
    this.history.record(before, label, options.key ?? null, this.now());
    this.show(after, options.renamed ? { renamed: options.renamed } : undefined);
    return after;
  }

  undo(): string | null {
    const label = this.history.undoLabel;
    const flow = this.history.undo(this.flow.get());
    if (flow) this.show(flow);
    return flow ? label : null;
  }

  redo(): string | null {
    const label = this.history.redoLabel;
    const flow = this.history.redo(this.flow.get());
    if (flow) this.show(flow);
    return flow ? label : null;
  }

  typeOf(node: { type: string; config: Flow['nodes'][number]['config'] }): NodeType | undefined {
    return typeOf(this.types, node);
  }

  fieldsOf = (type: string): ExpressionFields => this.types.get(type) ?? NO_FIELDS;

  portsOf(id: string): NodePorts | undefined {
    return this.host.checked.get().ports[id];
  }

  private show(flow: Flow, hint?: { renamed: { from: string; to: string } }): void {
    this.flow.set(flow);
    this.steps.set({ undo: this.history.undoLabel, redo: this.history.redoLabel });
    this.host.setFlow(flow, hint);
  }

  /** Python, or the file behind a document, changed the flow: a step like others, so that it can be undone. */
  private follow = (): void => {
    const flow = this.host.flow.get();
    const before = this.flow.get();
    if (flow === before) return;
    this.history.record(before, 'change from outside', 'outside', this.now());
    this.flow.set(flow);
    this.steps.set({ undo: this.history.undoLabel, redo: this.history.redoLabel });
  };
}

const editors = new WeakMap<Host, Editor>();

/** The editor of a host: all its views share one. */
export function editorOf(host: Host): Editor {
  const editor = editors.get(host) ?? new Editor(host);
  editors.set(host, editor);
  return editor;
}
