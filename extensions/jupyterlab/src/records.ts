/** What the project's REST API answers, as far as Lab shows it. */

export type Status = 'pending' | 'running' | 'waiting' | 'completed' | 'failed' | 'cancelled';

export const STATUSES: readonly Status[] = ['pending', 'running', 'waiting', 'completed', 'failed', 'cancelled'];
const ENDED: ReadonlySet<string> = new Set(['completed', 'failed', 'cancelled']);

export const hasEnded = (status: string): boolean => ENDED.has(status);

export interface Fault {
  type: string;
  message: string;
  node: string | null;
}

export interface Execution {
  execution_id: string;
  workflow_id: string | null;
  flow: string | null;
  status: Status;
  trigger: string | null;
  source: string | null;
  user: string | null;
  parent_execution_id: string | null;
  accepted_at: string | null;
  started_at: string | null;
  finished_at: string | null;
  duration_ms: number | null;
  nodes_total: number;
  tokens_in: number;
  tokens_out: number;
  cost_usd: number | null;
  error: Fault | null;
}

export interface NodeLog {
  seq: number;
  node: string;
  type: string | null;
  path: string;
  status: string;
  duration_ms: number | null;
  attempt: number | null;
  error: Fault | null;
  iterations: number | null;
  preview: unknown;
  logs: readonly { stream: string; level: string; text: string }[];
  traceback: string | null;
}

export interface ExecutionDetail extends Execution {
  input: unknown;
  outputs: Record<string, unknown> | null;
  nodes: readonly NodeLog[];
  next_node: number | null;
}

export interface Workflow {
  id: string;
  name: string;
  description: string;
  version: number;
  active: boolean;
  triggers: readonly string[];
  nodes_total: number;
  updated_at: string;
}

export interface WorkflowDetail extends Workflow {
  definition: { parameters?: unknown };
}

export interface Webhook {
  workflow_id: string;
  workflow: string;
  node_id: string;
  method: string;
  path: string;
  url: string;
  active: boolean;
  auth: string;
}

export interface NodeType {
  type: string;
  group: string;
  summary: string;
  trigger: boolean;
  container: boolean;
}

export interface NodeTypeDetail extends NodeType {
  inputs: readonly { name: string; required: boolean }[];
  config_schema: { properties?: Record<string, Record<string, unknown>>; required?: readonly string[] };
}

export interface Page<T> {
  items: readonly T[];
  next_cursor: string | number | null;
}
