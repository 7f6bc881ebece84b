/** A document's text as a flow and back. Lab has the text, with its dirty state and its file; the canvas has the flow. */

import type { DocumentRegistry } from '@jupyterlab/docregistry';
import { PathExt } from '@jupyterlab/coreutils';
import { EXTENSION } from '../names';

export type FlowJson = Record<string, unknown>;

/** The file is no flow: nothing of it may be changed by a canvas. */
export class NoFlowError extends Error {}

/** A new file's flow, named after it. */
export function newFlow(path: string): FlowJson {
  const base = PathExt.basename(path);
  return { nbflow: 1, name: (base.endsWith(EXTENSION) ? base.slice(0, -EXTENSION.length) : PathExt.basename(path, PathExt.extname(path))) || 'flow' };
}

/** As `Flow.to_json()` writes it, so that saving in Lab and in Python differ in nothing. */
export const textOf = (flow: FlowJson): string => `${JSON.stringify(flow, null, 2)}\n`;

export function flowOf(text: string, path: string): FlowJson {
  if (!text.trim()) return newFlow(path);
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch (error) {
    throw new NoFlowError(`This file is not JSON: ${error instanceof Error ? error.message : error}`);
  }
  if (typeof found !== 'object' || found === null || Array.isArray(found)) throw new NoFlowError('This file is JSON, but no flow: a flow is an object.');
  if (!('nbflow' in found)) throw new NoFlowError('This file is JSON, but no flow: it has no key "nbflow".');
  if (found.nbflow !== 1) throw new NoFlowError(`This flow is of version ${JSON.stringify(found.nbflow)}; this nbflow reads version 1.`);
  return found as FlowJson;
}

/** The flow of one Lab model. `onChange` hears of changes that did not come through `write`: revert, another editor, the file on disk. */
export class FlowText {
  private flow: FlowJson;
  private listeners = new Set<() => void>();
  private writing = false;

  constructor(private readonly context: DocumentRegistry.IContext<DocumentRegistry.ICodeModel>) {
    this.flow = flowOf(context.model.toString(), context.path);
    context.model.contentChanged.connect(this.hear);
  }

  read(): FlowJson {
    return this.flow;
  }

  write(flow: FlowJson): void {
    const { model } = this.context;
    this.flow = flow;
    const text = textOf(flow);
    if (text === model.toString()) return;
    this.writing = true;
    try {
      model.fromString(text);
      model.dirty = true; // fromString alone does not say so
    } finally {
      this.writing = false;
    }
  }

  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  dispose(): void {
    this.context.model.contentChanged.disconnect(this.hear, this);
    this.listeners.clear();
  }

  private hear = (): void => {
    if (this.writing) return;
    try {
      this.flow = flowOf(this.context.model.toString(), this.context.path);
    } catch {
      return; // somebody types in a text editor beside: the next whole document counts
    }
    for (const listener of [...this.listeners]) listener();
  };
}
