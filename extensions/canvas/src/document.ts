/**
 * The flow document in the browser: as core/flow.py has it. Objects are never changed, only replaced, so that what did not change stays
 * the same object and is not drawn again.
 */

import { asObject, equal, isObject, type Json, type JsonObject } from './json';

export type OnError = 'stop' | 'continue' | 'output';

export interface Retry {
  max_tries?: number;
  wait?: string;
  backoff?: number;
  max_wait?: string;
  jitter?: number;
}

export interface NodeSettings {
  retry?: Retry | null;
  timeout?: string | null;
  on_error?: OnError;
  each?: boolean;
  concurrency?: number | null;
  disabled?: boolean;
  notes?: string;
}

export interface FlowNode {
  id: string;
  type: string;
  config: JsonObject;
  parent: string | null;
  settings: NodeSettings;
}

export interface FlowEdge {
  source: string;
  source_port: string;
  target: string;
  target_port: string;
  path: (string | number)[];
}

export type Point = readonly [number, number];

/** A sticky note: part of the drawing, like `layout`, not of the flow's meaning. `parent` is the loop it lies in. */
export interface Note {
  text: string;
  box: readonly [number, number, number, number]; // x, y, width, height
  colour?: string;
  parent?: string;
}

export interface Flow {
  name: string;
  nodes: readonly FlowNode[];
  edges: readonly FlowEdge[];
  layout: Readonly<Record<string, Point>>;
  notes: Readonly<Record<string, Note>>;
  /** Keys that the canvas shows but does not draw (description, parameters, outputs, settings) or does not know: kept as they came. */
  rest: JsonObject;
}

const ORDER = ['description', 'parameters', 'outputs', 'settings'];
export const EMPTY_FLOW: Flow = { name: 'flow', nodes: [], edges: [], layout: {}, notes: {}, rest: {} };

/** A flow from its JSON. Lenient: what is wrong is told by Python, the canvas shows what it can. */
export function readFlow(json: unknown): Flow {
  const { nbflow: _version, name, nodes, edges, layout, notes, ...rest } = asObject(json);
  return {
    name: typeof name === 'string' ? name : 'flow',
    nodes: Array.isArray(nodes) ? nodes.filter(isObject).map(readNode) : [],
    edges: Array.isArray(edges) ? edges.filter(isObject).map(readEdge) : [],
    layout: readLayout(layout),
    notes: readNotes(notes),
    rest,
  };
}

function readNode(node: JsonObject): FlowNode {
  return {
    id: String(node['id'] ?? ''),
    type: String(node['type'] ?? ''),
    config: asObject(node['config']),
    parent: typeof node['parent'] === 'string' ? node['parent'] : null,
    settings: asObject(node['settings']) as NodeSettings,
  };
}

function readEdge(edge: JsonObject): FlowEdge {
  const path = edge['path'];
  return {
    source: String(edge['source'] ?? ''),
    source_port: String(edge['source_port'] ?? 'output'),
    target: String(edge['target'] ?? ''),
    target_port: String(edge['target_port'] ?? 'input'),
    path: Array.isArray(path) ? (path.filter((step) => typeof step === 'string' || typeof step === 'number') as (string | number)[]) : [],
  };
}

function readLayout(layout: Json | undefined): Record<string, Point> {
  const points: Record<string, Point> = {};
  for (const [id, point] of Object.entries(asObject(layout))) {
    if (Array.isArray(point) && typeof point[0] === 'number' && typeof point[1] === 'number') points[id] = [point[0], point[1]];
  }
  return points;
}

function readNotes(notes: Json | undefined): Record<string, Note> {
  const found: Record<string, Note> = {};
  for (const [id, note] of Object.entries(asObject(notes))) {
    if (!isObject(note) || !Array.isArray(note['box']) || note['box'].length !== 4) continue;
    const [x, y, width, height] = note['box'].map(Number) as [number, number, number, number];
    found[id] = {
      text: String(note['text'] ?? ''),
      box: [x, y, width, height],
      ...(typeof note['colour'] === 'string' && { colour: note['colour'] }),
      ...(typeof note['parent'] === 'string' && { parent: note['parent'] }),
    };
  }
  return found;
}

/** Canonical JSON, as Flow.to_dict() writes it: keys in the order of the declaration, defaults left out. */
export function writeFlow(flow: Flow): JsonObject {
  const { outputs, settings, ...rest } = flow.rest;
  const document: JsonObject = { nbflow: 1, name: flow.name };
  for (const key of ORDER.slice(0, 2)) if (rest[key] !== undefined && !isBlank(rest[key])) document[key] = rest[key];
  if (flow.nodes.length) document['nodes'] = flow.nodes.map(writeNode);
  if (flow.edges.length) document['edges'] = flow.edges.map(writeEdge);
  if (outputs !== undefined && !isBlank(outputs)) document['outputs'] = outputs;
  if (settings !== undefined && !isBlank(settings)) document['settings'] = settings;
  if (Object.keys(flow.layout).length) document['layout'] = flow.layout as unknown as JsonObject;
  if (Object.keys(flow.notes).length) document['notes'] = flow.notes as unknown as JsonObject;
  for (const [key, value] of Object.entries(rest)) if (!ORDER.includes(key)) document[key] = value;
  return document;
}

function isBlank(value: Json): boolean {
  return value === null || value === '' || (isObject(value) && !Object.keys(value).length);
}

function writeNode(node: FlowNode): JsonObject {
  const settings = writeSettings(node.settings);
  return {
    id: node.id,
    type: node.type,
    ...(Object.keys(node.config).length && { config: node.config }),
    ...(node.parent !== null && { parent: node.parent }),
    ...(Object.keys(settings).length && { settings }),
  };
}

export const SETTING_DEFAULTS: Required<NodeSettings> = {
  retry: null,
  timeout: null,
  on_error: 'stop',
  each: false,
  concurrency: null,
  disabled: false,
  notes: '',
};
export const RETRY_DEFAULTS: Required<Retry> = { max_tries: 3, wait: 'PT1S', backoff: 2, max_wait: 'PT60S', jitter: 0.1 };

function writeSettings(settings: NodeSettings): JsonObject {
  const written: JsonObject = {};
  for (const key of Object.keys(SETTING_DEFAULTS) as (keyof NodeSettings)[]) {
    const value = settings[key];
    if (value === undefined || equal(value, SETTING_DEFAULTS[key])) continue;
    written[key] = key === 'retry' ? writeRetry(value as Retry) : (value as Json);
  }
  return written;
}

function writeRetry(retry: Retry): JsonObject {
  const written: JsonObject = {};
  for (const key of Object.keys(RETRY_DEFAULTS) as (keyof Retry)[]) {
    const value = retry[key];
    if (value !== undefined && value !== RETRY_DEFAULTS[key]) written[key] = value;
  }
  return written;
}

function writeEdge(edge: FlowEdge): JsonObject {
  return {
    source: edge.source,
    ...(edge.source_port !== 'output' && { source_port: edge.source_port }),
    target: edge.target,
    ...(edge.target_port !== 'input' && { target_port: edge.target_port }),
    ...(edge.path.length && { path: edge.path }),
  };
}

// Questions ----------------------------------------------------------------------------------------

export function nodeOf(flow: Flow, id: string | null | undefined): FlowNode | undefined {
  return flow.nodes.find((node) => node.id === id);
}

/** Two edges may join the same ports by different paths, so the path belongs to the identity. */
export function edgeId(edge: FlowEdge): string {
  const path = edge.path.length ? `|${JSON.stringify(edge.path)}` : '';
  return `${edge.source}.${edge.source_port}>${edge.target}.${edge.target_port}${path}`;
}

export function childrenOf(flow: Flow, parent: string | null): FlowNode[] {
  return flow.nodes.filter((node) => node.parent === parent);
}

const parentMaps = new WeakMap<Flow['nodes'], ReadonlyMap<string, string | null>>();

/** Parents by id, made once for each list of nodes: positions and edges change far more often. */
export function parentsOf(flow: Flow): ReadonlyMap<string, string | null> {
  const known = parentMaps.get(flow.nodes) ?? new Map(flow.nodes.map((node) => [node.id, node.parent]));
  parentMaps.set(flow.nodes, known);
  return known;
}

/** Loops around a node, innermost first. Ends at a parent that is missing or leads in a circle. */
export function enclosing(flow: Flow, id: string): string[] {
  const parents = parentsOf(flow);
  const found: string[] = [];
  let parent = parents.get(id) ?? null;
  while (parent !== null && parents.has(parent) && !found.includes(parent)) {
    found.push(parent);
    parent = parents.get(parent) ?? null;
  }
  return found;
}

/** The ids and those of everything inside them. */
export function withBodies(flow: Flow, ids: Iterable<string>): Set<string> {
  const all = new Set(ids);
  let before = -1;
  while (before !== all.size) {
    before = all.size;
    for (const node of flow.nodes) if (node.parent !== null && all.has(node.parent)) all.add(node.id);
  }
  return all;
}

/** Everything from which values come to a node, by edges, itself included. */
export function upstream(flow: Flow, id: string): Set<string> {
  const sources = new Map<string, string[]>();
  for (const edge of flow.edges) sources.set(edge.target, [...(sources.get(edge.target) ?? []), edge.source]);
  const found = new Set([id]);
  const stack = [id];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    for (const source of sources.get(next) ?? []) {
      if (!found.has(source)) {
        found.add(source);
        stack.push(source);
      }
    }
  }
  return found;
}

/** An edge from `source` to `target` would lead back to where it starts. Edges between a loop and its body do not count. */
export function makesCycle(flow: Flow, source: string, target: string): boolean {
  if (source === target) return true;
  if (enclosing(flow, target).includes(source) || enclosing(flow, source).includes(target)) return false;
  return upstream(flow, source).has(target);
}

/** `wanted` if free, else with a number: `fetch`, `fetch_2`. Made fit for `nodes.<id>`. */
export function freeId(flow: Flow, wanted: string, taken: ReadonlySet<string> = new Set()): string {
  const base = wanted.replace(/[^A-Za-z0-9_]+/g, '_').replace(/^(?=[0-9])/, '_') || 'node';
  const used = new Set(flow.nodes.map((node) => node.id));
  if (!used.has(base) && !taken.has(base)) return base;
  const stem = base.replace(/_\d+$/, '');
  let number = 2;
  while (used.has(`${stem}_${number}`) || taken.has(`${stem}_${number}`)) number += 1;
  return `${stem}_${number}`;
}
