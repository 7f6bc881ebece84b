/**
 * What a host lends to the canvas. The canvas knows nothing else of the world: not the notebook, not Jupyter, not the network.
 * Everything is answered by Python; what is not there (`capabilities`) is not offered.
 */

import type { Catalogue, NodePorts } from './catalogue';
import type { Flow } from './document';
import type { Json } from './json';
import type { StatusStore, StatusWord } from './statuses';
import type { Readable } from './store';

/** core/problem.py. `node` and `field` are missing when the problem belongs to the whole flow. */
export interface Problem {
  code: string;
  message: string;
  node?: string | null;
  field?: string | null; // "url", "assignments.0.name", "settings.retry.wait", or the name of a port
}

export interface Checked {
  problems: readonly Problem[];
  ports: Readonly<Record<string, NodePorts>>; // only of nodes whose ports depend on their config
}

/** A value as it is kept: at most 4 KB of JSON (core/values.py) and, where it has one, a rich MIME form. */
export interface Value {
  preview?: Json;
  bundle?: Readonly<Record<string, unknown>> | null;
}

export interface ErrorRecord {
  type: string;
  message: string;
  traceback?: string;
}

export interface LogLine {
  level: string; // stdout, stderr, debug, info, warn, error
  text: string;
}

/** One node in one execution. */
export interface NodeRecord {
  execution_id: string;
  status: StatusWord;
  started_at?: string;
  duration?: string;
  attempt?: number;
  iterations?: number;
  inputs: Readonly<Record<string, Value>>; // by port
  outputs: Readonly<Record<string, Value>>;
  displays?: readonly Value[];
  logs?: readonly LogLine[];
  error?: ErrorRecord | null;
}

/** Last values, for completion and preview in expressions. Outputs by node id, as `nodes.<id>` gives them. */
export interface Samples {
  execution_id: string | null;
  nodes: Readonly<Record<string, Json>>;
  inputs: Readonly<Record<string, Json>>; // by node id: what `input` is there
  items: Readonly<Record<string, Json>>; // by loop id: what `item` is inside
  params: Json;
  vars: Json;
}

export interface Credential {
  name: string;
  kind: string;
}

export interface PastExecution {
  id: string;
  status: StatusWord;
  started_at: string;
  duration?: string;
}

export interface Pin {
  value: Value;
  at: string;
}

export type Capability = 'run' | 'run_to' | 'run_node' | 'stop' | 'pin' | 'inspect' | 'evaluate' | 'executions' | 'save' | 'code' | 'fullscreen';

export interface Options {
  readonly: boolean;
  theme: 'auto' | 'light' | 'dark';
  height: number | null; // pixels; null fills the place it is given
  capabilities: readonly Capability[];
}

export const DEFAULT_OPTIONS: Options = { readonly: false, theme: 'auto', height: 520, capabilities: [] };

/** Things that are done, and answered only by what changes. */
export type Command =
  | { name: 'run' }
  | { name: 'run_to'; node: string }
  | { name: 'run_node'; node: string } // with pinned or last inputs
  | { name: 'stop' }
  | { name: 'pin'; node: string; execution_id: string | null }
  | { name: 'unpin'; node: string }
  | { name: 'show_execution'; execution_id: string | null } // its statuses and samples; null is the newest
  | { name: 'save' };

/** Questions with an answer. Each rejects with an Error whose message is fit to be shown. */
export interface Questions {
  inspect: { ask: { node: string; execution_id: string | null }; answer: NodeRecord | null };
  evaluate: { ask: { node: string; text: string; bare: boolean }; answer: { value: Value } | { error: string } };
  code: { ask: Record<string, never>; answer: { source: string } };
  catalogue: { ask: Record<string, never>; answer: Catalogue };
}

export interface Host {
  readonly flow: Readable<Flow>;
  /** `renamed` tells that a node goes on under a new id, so that its pin and its past go with it. */
  setFlow(flow: Flow, hint?: { renamed?: { from: string; to: string } }): void;
  readonly catalogue: Readable<Catalogue>;
  readonly checked: Readable<Checked>;
  readonly statuses: StatusStore;
  readonly samples: Readable<Samples>;
  readonly credentials: Readable<readonly Credential[]>;
  readonly executions: Readable<readonly PastExecution[]>;
  readonly pins: Readable<Readonly<Record<string, Pin>>>;
  readonly options: Readable<Options>;
  /** The last thing that went wrong between canvas and host, for a person. */
  readonly notice: Readable<string | null>;
  command(command: Command): void;
  ask<Q extends keyof Questions>(question: Q, ask: Questions[Q]['ask']): Promise<Questions[Q]['answer']>;
}

export const NO_SAMPLES: Samples = { execution_id: null, nodes: {}, inputs: {}, items: {}, params: {}, vars: {} };
export const UNCHECKED: Checked = { problems: [], ports: {} };
