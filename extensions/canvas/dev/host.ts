/** A host without Python: the real catalogue, values made up, executions played. */

import type { Catalogue, NodeType } from '../src/catalogue';
import { readFlow, writeFlow, type Flow } from '../src/document';
import { NO_SAMPLES, UNCHECKED, type Checked, type Command, type Credential, type Host, type NodeRecord, type Options, type PastExecution, type Pin, type Problem, type Questions, type Samples, type Value } from '../src/host';
import type { Json, JsonObject } from '../src/json';
import { StatusStore, type Frame, type NodeStatus } from '../src/statuses';
import { Store } from '../src/store';

const CLEAN: NodeType = {
  type: 'python.function:orders:clean', group: 'python', title: 'clean()', summary: 'Drops orders that are too small.', inputs: [{ name: 'orders', type: 'list[dict]', required: true }, { name: 'threshold', type: 'float', default: 10 }, { name: 'mode', type: "Literal['strict', 'loose']", default: 'strict' }],
  outputs: [{ name: 'output', type: 'DataFrame' }], container: false, trigger: false, lazy: [], verbatim: [], schema: null,
  source: 'def clean(orders: list[dict], threshold: float = 10, mode: Literal["strict", "loose"] = "strict") -> pd.DataFrame:\n    """Drops orders that are too small."""\n    frame = pd.DataFrame(orders)\n    return frame[frame.total >= threshold]\n',
};

const ORDERS: Json = Array.from({ length: 12 }, (_, at) => ({ id: at + 1, customer: ['Ada', 'Grace', 'Linus', 'Mia'][at % 4] ?? '', status: at % 3 ? 'paid' : 'open', price: 12.5 * (at + 1), count: (at % 4) + 1 }));
const FRAME: Json = { $type: 'DataFrame', shape: [9, 4], dtypes: { id: 'int64', customer: 'object', price: 'float64', count: 'int64' }, head: (ORDERS as JsonObject[]).slice(0, 5).map(({ id, customer, price, count }) => ({ id, customer, price, count }) as JsonObject) };
const SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="360" height="180"><rect width="360" height="180" fill="#fff"/><g fill="#2563c9">' + [60, 90, 40, 120, 150, 100].map((height, at) => `<rect x="${20 + at * 55}" y="${165 - height}" width="40" height="${height}" rx="3"/>`).join('') + '</g></svg>';

const VALUES: Record<string, Value> = {
  every_day: { preview: { time: '2026-11-24T07:00:00Z' } },
  fetch: { preview: { status: 200, headers: { 'content-type': 'application/json' }, body: { shop: 'north', orders: ORDERS } } },
  paid: { preview: ORDERS },
  clean: { preview: FRAME, bundle: { 'text/html': '<table><tr><th>id</th><th>customer</th></tr><tr><td>1</td><td>Ada</td></tr></table><script>document.body.append("scripts draw")</script>', 'text/plain': 'DataFrame' } },
  each_order: { preview: ORDERS },
  enrich: { preview: (ORDERS as Json[])[0] ?? null },
  remind: { preview: 'late/2026-11-24.json' },
  gather: { preview: FRAME, bundle: { 'image/svg+xml': SVG } },
};

export class DevHost implements Host {
  readonly flow: Store<Flow>;
  readonly catalogue: Store<Catalogue>;
  readonly checked = new Store<Checked>(UNCHECKED);
  readonly statuses = new StatusStore();
  readonly samples = new Store<Samples>(NO_SAMPLES);
  readonly credentials = new Store<readonly Credential[]>([{ name: 'shop', kind: 'http_bearer' }, { name: 'warehouse', kind: 'postgres' }]);
  readonly executions = new Store<readonly PastExecution[]>([]);
  readonly pins = new Store<Readonly<Record<string, Pin>>>({});
  readonly options: Store<Options>;
  readonly notice = new Store<string | null>(null);
  readonly commands: Command[] = [];
  private seq = 0;
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor(flow: JsonObject, catalogue: Catalogue, options: Partial<Options>) {
    this.flow = new Store(readFlow(flow));
    this.catalogue = new Store<Catalogue>({ ...catalogue, types: [...catalogue.types, CLEAN] });
    this.options = new Store<Options>({ readonly: false, theme: 'auto', height: 620, capabilities: ['run', 'run_to', 'run_node', 'stop', 'pin', 'inspect', 'evaluate', 'executions', 'save', 'code'], ...options });
    this.check();
  }

  setFlow(flow: Flow): void {
    this.flow.set(flow);
    this.check();
  }

  private check(): void {
    const problems: Problem[] = [];
    for (const node of this.flow.get().nodes) {
      const schema = this.catalogue.get().types.find(({ type }) => type === node.type)?.schema;
      for (const name of schema?.required ?? []) if (node.config[name] === undefined) problems.push({ code: 'missing-config', message: `this field is required: ${schema?.properties?.[name]?.description ?? ''}`, node: node.id, field: name });
      if (node.config['status'] === 299) problems.push({ code: 'bad-config-value', message: 'Input should be a status that exists (given: 299)', node: node.id, field: 'status' });
    }
    const ports = Object.fromEntries(this.flow.get().nodes.filter(({ type }) => type === 'logic.if').map(({ id }) => [id, { outputs: [{ name: 'true' }, { name: 'false' }] }]));
    this.checked.set({ problems, ports });
  }

  command(command: Command): void {
    this.commands.push(command);
    if (command.name === 'run' || command.name === 'run_to' || command.name === 'run_node') this.play();
    else if (command.name === 'stop') this.end('cancelled');
    else if (command.name === 'pin') this.pins.set({ ...this.pins.get(), [command.node]: { value: VALUES[command.node] ?? { preview: null }, at: new Date().toISOString() } });
    else if (command.name === 'unpin') this.pins.set(Object.fromEntries(Object.entries(this.pins.get()).filter(([id]) => id !== command.node)));
  }

  private play(): void {
    clearInterval(this.timer);
    const ids = this.flow.get().nodes.map(({ id }) => id);
    let at = 0;
    const id = `run-${Date.now()}`;
    this.timer = setInterval(() => {
      const nodes: Record<string, NodeStatus> = {};
      ids.forEach((node, place) => {
        nodes[node] = place < at ? this.ended(node) : place === at ? { status: 'running', detail: '12/40', fraction: 0.3 } : { status: 'pending' };
      });
      const over = at > ids.length;
      this.frame({ execution: { id, status: over ? 'failed' : 'running', done: Math.min(at, ids.length), total: ids.length, elapsed: `${(at * 0.2).toFixed(1)} s`, ...(over && { error: 'ValueError: too much', error_node: 'check' }) }, nodes });
      if (over) this.end('failed', id);
      at += 1;
    }, 200);
  }

  private ended(node: string): NodeStatus {
    if (node === 'check') return { status: 'failed', error: 'ValueError: too much', detail: '40 ms' };
    if (node === 'paid') return { status: 'completed', detail: '3 ms', items: { true: 12 } };
    if (node === 'remind') return { status: 'skipped' };
    return { status: 'completed', detail: '1.24 s', items: { output: node === 'fetch' ? 1 : 1234 } };
  }

  frame(frame: Omit<Frame, 'seq'>): void {
    this.seq += 1;
    this.statuses.delta({ ...frame, seq: this.seq });
  }

  private end(status: 'failed' | 'cancelled', id = 'run-x'): void {
    clearInterval(this.timer);
    const execution = this.statuses.execution();
    if (execution) this.frame({ execution: { ...execution, status }, nodes: {} });
    this.executions.set([{ id, status, started_at: new Date().toISOString(), duration: '2.1 s' }, { id: 'old-1', status: 'completed', started_at: '2026-11-23T07:00:00Z', duration: '1.9 s' }]);
    const nodes = Object.fromEntries(Object.entries(VALUES).map(([node, { preview }]) => [node, preview ?? null]));
    this.samples.set({ execution_id: id, nodes, inputs: { clean: ORDERS }, items: { each_order: (ORDERS as Json[])[0] ?? null }, params: { day: '2026-11-24', limit: 100 }, vars: {} });
  }

  async ask<Q extends keyof Questions>(question: Q, ask: Questions[Q]['ask']): Promise<Questions[Q]['answer']> {
    await new Promise((resolve) => setTimeout(resolve, 60));
    const { node = '' } = ask as { node?: string };
    if (question === 'code') return { source: `import nbflow as nf\n\n\n@nf.flow("${this.flow.get().name}")\ndef daily_orders(day: str, limit: int = 100):\n    fetched = nf.nodes.http(url="https://api.example.com/orders")\n    return clean(fetched)\n\n# ${JSON.stringify(writeFlow(this.flow.get())).length} bytes` } as Questions[Q]['answer'];
    if (question === 'evaluate') return { value: { preview: 'https://api.example.com/orders?day=2026-11-24' } } as Questions[Q]['answer'];
    return this.record(node) as Questions[Q]['answer'];
  }

  private record(node: string): NodeRecord | null {
    const { status } = this.statuses.get(node);
    if (status === 'pending' || status === 'running') return null;
    const source = this.flow.get().edges.find(({ target }) => target === node)?.source ?? '';
    const base = { execution_id: 'run', status, started_at: new Date().toISOString(), duration: '1.24 s', attempt: 1, inputs: (VALUES[source] ? { input: VALUES[source] } : {}) as Record<string, Value>, logs: [{ level: 'stdout', text: 'read 12 orders' }, { level: 'warn', text: '3 are open' }] };
    if (status === 'failed') return { ...base, outputs: {}, error: { type: 'ValueError', message: 'too much', traceback: 'Traceback (most recent call last):\n  File "node check", line 2, in <module>\n    raise ValueError(\'too much\')\nValueError: too much' } };
    return { ...base, outputs: { output: VALUES[node] ?? { preview: null } } };
  }
}
