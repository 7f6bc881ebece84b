/** Node types as Python declares them, and the ports that a node has. */

import { enclosing, type Flow, type FlowNode } from './document';
import type { ExpressionFields } from './expressions';
import type { Json } from './json';
import type { Schema } from './schema';

export interface PortType {
  name: string;
  type?: string; // as a user would write it: `list[int]`; missing when anything goes
  required?: boolean;
  default?: Json; // of a function's parameter
  many?: boolean;
}

export interface NodeType extends ExpressionFields {
  type: string;
  group: string;
  title: string; // "HTTP request"
  summary: string; // first line of the docstring
  doc?: string; // the rest of it
  inputs: readonly PortType[];
  outputs: readonly PortType[]; // those of an empty config where they depend on it
  container: boolean;
  trigger: boolean;
  schema: Schema | null; // null: a plain function, see `source`
  source?: string; // of a Python function
  missing?: string; // why it cannot be had here, with the fix: `pip install "nbflow[mysql]"`
}

/** What expressions offer: names with a line of explanation each. */
export interface Word {
  name: string;
  doc: string;
}

export interface Catalogue {
  groups: readonly { name: string; title: string }[];
  types: readonly NodeType[];
  filters: readonly Word[];
}

export const EMPTY_CATALOGUE: Catalogue = { groups: [], types: [], filters: [] };

export const FUNCTION = 'python.function';

export type TypeMap = ReadonlyMap<string, NodeType>;

/** By `type`; functions by `python.function:<name>`. */
export function typeMap(catalogue: Catalogue): TypeMap {
  return new Map(catalogue.types.map((type) => [type.type, type]));
}

export function typeOf(types: TypeMap, node: Pick<FlowNode, 'type' | 'config'>): NodeType | undefined {
  if (node.type !== FUNCTION) return types.get(node.type);
  return types.get(`${FUNCTION}:${String(node.config['function'] ?? '')}`) ?? types.get(FUNCTION);
}

export function titleOf(types: TypeMap, node: Pick<FlowNode, 'type' | 'config'>): string {
  if (node.type === FUNCTION) return String(node.config['function'] ?? 'function').replace(/^.*:/, '') + '()';
  return typeOf(types, node)?.title ?? node.type;
}

export interface Ports {
  inputs: readonly PortType[];
  outputs: readonly PortType[];
  /** Of a loop: where edges into the body begin, and where those out of it end. */
  inner: { sources: readonly PortType[]; targets: readonly PortType[] } | null;
}

/** Ports that Python worked out for one node, where they depend on its config. */
export interface NodePorts {
  inputs?: readonly PortType[];
  outputs?: readonly PortType[];
}

const INNER: NonNullable<Ports['inner']> = { sources: [{ name: 'item' }, { name: 'index', type: 'int' }], targets: [{ name: 'result' }] };
const ANY_IN: readonly PortType[] = [{ name: 'input' }];
const ANY_OUT: readonly PortType[] = [{ name: 'output' }];

/** Ports of a node. Those that edges name stay, whatever the declaration says: an edge must have its ends to be seen and repaired. */
export function portsOf(flow: Flow, node: FlowNode, type: NodeType | undefined, worked: NodePorts | undefined): Ports {
  const inputs = [...(worked?.inputs ?? type?.inputs ?? ANY_IN)];
  const outputs = [...(worked?.outputs ?? type?.outputs ?? ANY_OUT)];
  if (node.settings.on_error === 'output' && !outputs.some((port) => port.name === 'error')) outputs.push({ name: 'error' });
  const inner = type?.container ? INNER : null;
  for (const edge of flow.edges) {
    if (edge.source === node.id && !(inner && enclosing(flow, edge.target).includes(node.id)) && !outputs.some((port) => port.name === edge.source_port)) {
      outputs.push({ name: edge.source_port });
    }
    if (edge.target === node.id && !(inner && isInside(flow, edge.source, node.id)) && !inputs.some((port) => port.name === edge.target_port)) {
      inputs.push({ name: edge.target_port });
    }
  }
  return { inputs, outputs, inner };
}

function isInside(flow: Flow, id: string, loop: string): boolean {
  return flow.nodes.some((node) => node.id === id && node.parent === loop);
}

const DISJOINT = ['str', 'bytes', 'int', 'float', 'bool', 'list', 'dict', 'DataFrame', 'None'];
const WIDENS: Record<string, readonly string[]> = { int: ['float', 'bool'], float: ['int', 'bool'], bool: ['int', 'float'] };

/** False when no value of the one type can be of the other. In doubt yes: Python decides, this is only the hint while connecting. */
export function mayFlow(produced: string | undefined, wanted: string | undefined): boolean {
  if (!produced || !wanted) return true;
  const [from, to] = [alternatives(produced), alternatives(wanted)];
  return from.some((one) => to.some((other) => one === other || !DISJOINT.includes(one) || !DISJOINT.includes(other) || WIDENS[one]?.includes(other)));
}

function alternatives(type: string): string[] {
  return type.split('|').map((part) => part.trim().replace(/\[.*$/s, '').replace(/^.*\./, ''));
}
