/** What an expression in a node can see, and what is known of the values there. */

import { enclosing, upstream, type Flow } from './document';
import type { Samples } from './host';
import { isObject, type Json, type JsonObject } from './json';

export interface Reach {
  /** Visible nodes, those that come before first. */
  nodes: readonly string[];
  /** Values by top-level name; undefined where nothing ran yet. */
  names: Readonly<Record<string, Json | undefined>>;
}

/** A node sees what stands beside it or beside a loop around it, but not the loops around it nor what follows it. */
export function reachOf(flow: Flow, id: string, samples: Samples, pinned: Readonly<Record<string, Json>> = {}): Reach {
  const around = enclosing(flow, id);
  const scopes = new Set<string | null>([null, ...around]);
  const before = upstream(flow, id);
  for (const loop of around) for (const other of upstream(flow, loop)) before.add(other);
  const after = downstream(flow, id);
  const visible = flow.nodes.filter((node) => node.id !== id && scopes.has(node.parent) && !around.includes(node.id) && !after.has(node.id)).map((node) => node.id);
  const nodes = [...visible.filter((other) => before.has(other)).reverse(), ...visible.filter((other) => !before.has(other))];
  const known: Record<string, Json> = {};
  for (const other of nodes) {
    const value = pinned[other] ?? samples.nodes[other];
    if (value !== undefined) known[other] = value;
  }
  const self = flow.nodes.find((node) => node.id === id);
  const loop = around[0];
  const inLoop = loop !== undefined || self?.settings.each === true;
  return {
    nodes,
    names: {
      input: samples.inputs[id] ?? fromEdge(flow, id, known, samples),
      nodes: known,
      params: samples.params,
      vars: samples.vars,
      execution: { id: '', flow: flow.name, started_at: '' },
      now: undefined,
      ...(inLoop && { item: loop === undefined ? undefined : samples.items[loop], index: 0 }),
    },
  };
}

/** The value on the first edge into the node, as far as the last execution knows. */
function fromEdge(flow: Flow, id: string, known: Record<string, Json>, samples: Samples): Json | undefined {
  const edge = flow.edges.find((one) => one.target === id);
  if (!edge) return undefined;
  let value: Json | undefined = edge.source_port === 'item' ? samples.items[edge.source] : known[edge.source];
  for (const step of edge.path) value = child(value, step);
  return value;
}

function downstream(flow: Flow, id: string): Set<string> {
  const found = new Set([id]);
  const stack = [id];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    for (const edge of flow.edges) {
      if (edge.source === next && !found.has(edge.target) && !enclosing(flow, id).includes(edge.target)) {
        found.add(edge.target);
        stack.push(edge.target);
      }
    }
  }
  return found;
}

/** A part of a preview (core/values.py): a table gives its columns, keys of the user's own that begin with $ have a second one. */
export function child(value: Json | undefined, step: string | number): Json | undefined {
  if (Array.isArray(value)) return typeof step === 'number' ? value[step < 0 ? value.length + step : step] : undefined;
  if (!isObject(value)) return undefined;
  const object: JsonObject = value;
  if (isFrame(value) && typeof step === 'string') return value.head.flatMap((row) => (isObject(row) && step in row ? [row[step] ?? null] : []));
  if (Array.isArray(object['items']) && '$type' in object && typeof step === 'number') return object['items'][step];
  return object[typeof step === 'string' && step.startsWith('$') ? `$${step}` : String(step)];
}

export type Frame = { $type: string; shape: [number, number]; dtypes: Record<string, Json>; head: Json[] };

export function isFrame(value: Json | undefined): value is Frame {
  return isObject(value) && typeof value['$type'] === 'string' && Array.isArray(value['head']) && Array.isArray(value['shape']);
}

/** Names that may follow a dot. */
export function keysOf(value: Json | undefined): string[] {
  if (isFrame(value)) return Object.keys(value.dtypes).filter((key) => key !== '$more');
  if (!isObject(value)) return [];
  return Object.keys(value).filter((key) => !key.startsWith('$')).concat(Object.keys(value).filter((key) => key.startsWith('$$')).map((key) => key.slice(1)));
}

/** A few words for a value, for lists of completions. */
export function brief(value: Json | undefined): string {
  if (value === undefined) return '';
  if (Array.isArray(value)) {
    const more = value.at(-1);
    return `list of ${isObject(more) && typeof more['$more'] === 'number' ? value.length - 1 + more['$more'] : value.length}`;
  }
  if (isFrame(value)) return `${value.$type} ${value.shape.join(' × ')}`;
  if (isObject(value)) return typeof value['$type'] === 'string' ? value['$type'] : `{ ${Object.keys(value).slice(0, 3).join(', ')}${Object.keys(value).length > 3 ? ', …' : ''} }`;
  const text = JSON.stringify(value);
  return text.length > 32 ? `${text.slice(0, 31)}…` : text;
}

const STEP = /^\s*(?:\.?\s*([A-Za-z_]\w*)|\[\s*(?:'([^']*)'|"([^"]*)"|(-?\d+))\s*\])/;

/** The value of a plain path such as `input.rows[0].name`; null when the text is more than a path, or leads to what is not known. */
export function follow(path: string, names: Readonly<Record<string, Json | undefined>>): { value: Json } | null {
  let rest = path.trim();
  let value: Json | undefined = { ...names } as Json;
  while (rest) {
    const step = STEP.exec(rest);
    if (!step) return null;
    value = child(value, step[4] !== undefined ? Number(step[4]) : (step[1] ?? step[2] ?? step[3] ?? ''));
    rest = rest.slice(step[0].length).trimStart();
  }
  return value === undefined || path.trim() === '' ? null : { value };
}
