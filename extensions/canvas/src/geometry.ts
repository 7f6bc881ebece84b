/** What a view derives from the flow: types, ports and boxes of its nodes. Worked out once for each flow, whoever asks. */

import { mayFlow, portsOf, type NodeType, type Ports } from './catalogue';
import { enclosing, makesCycle, nodeOf, type Flow } from './document';
import type { Editor } from './editor';
import { absolute, boxesOf, type Boxes, type IsLoop } from './layout';
import { CARD_HEIGHT, CARD_WIDTH, cardSize } from './sizes';

export interface Drawing {
  flow: Flow;
  types: ReadonlyMap<string, NodeType | undefined>;
  ports: ReadonlyMap<string, Ports>;
  boxes: Boxes;
  isLoop: IsLoop;
}

const NO_PORTS: Ports = { inputs: [], outputs: [], inner: null };

export function draw(flow: Flow, editor: Editor, before?: Drawing): Drawing {
  const types = new Map(flow.nodes.map((node) => [node.id, editor.typeOf(node)]));
  const touched = edgesByNode(flow);
  const old = before && edgesByNode(before.flow);
  const ports = new Map<string, Ports>();
  for (const node of flow.nodes) {
    const type = types.get(node.id);
    const known = before?.ports.get(node.id);
    // the same object where nothing changed, so that the node is not drawn again
    const next = portsOf({ ...flow, edges: touched.get(node.id) ?? [] }, node, type, editor.portsOf(node.id));
    ports.set(node.id, known && old && samePorts(known, next) ? known : next);
  }
  const holders = new Set(flow.nodes.map((node) => node.parent));
  const isLoop: IsLoop = (id) => types.get(id)?.container === true || holders.has(id);
  const boxes = boxesOf(flow, isLoop, (id) => {
    const found = ports.get(id);
    return found ? cardSize(found) : { width: CARD_WIDTH, height: CARD_HEIGHT };
  });
  return { flow, types, ports, boxes, isLoop };
}

function edgesByNode(flow: Flow): Map<string, Flow['edges'][number][]> {
  const found = new Map<string, Flow['edges'][number][]>();
  for (const edge of flow.edges) {
    for (const id of [edge.source, edge.target]) {
      const list = found.get(id);
      if (list) list.push(edge);
      else found.set(id, [edge]);
    }
  }
  return found;
}

function samePorts(one: Ports, other: Ports): boolean {
  const same = (a: Ports['inputs'], b: Ports['inputs']): boolean =>
    a.length === b.length && a.every((port, place) => port.name === b[place]?.name && port.type === b[place]?.type && port.many === b[place]?.many);
  return same(one.inputs, other.inputs) && same(one.outputs, other.outputs) && (one.inner === null) === (other.inner === null);
}

export function portsIn(drawing: Drawing, id: string): Ports {
  return drawing.ports.get(id) ?? NO_PORTS;
}

export interface Ends {
  source: string;
  source_port: string;
  target: string;
  target_port: string;
}

/** Why two ports cannot be joined, in words; null when they can. core/check_edges.py has the last word. */
export function refusal(drawing: Drawing, { source, source_port, target, target_port }: Ends): string | null {
  const { flow } = drawing;
  if (source === target) return 'a node cannot feed itself';
  const around = enclosing(flow, target);
  const parent = nodeOf(flow, source)?.parent ?? null;
  const inner = drawing.ports.get(source)?.inner?.sources.some((port) => port.name === source_port) && !drawing.ports.get(source)?.outputs.some((port) => port.name === source_port);
  if (inner) return around.includes(source) ? null : `'${source_port}' is for nodes inside '${source}'`;
  const isResult = target_port === 'result' && drawing.ports.get(target)?.inner !== null && drawing.ports.get(target) !== undefined && !drawing.ports.get(target)?.inputs.some((port) => port.name === 'result');
  if (isResult) return parent === target ? null : `'result' is for nodes inside '${target}'`;
  if (around.includes(source)) return `use 'item' of '${source}' inside it`;
  if (parent !== null && !around.includes(parent)) return `'${source}' is inside '${parent}': leave it through its port 'result'`;
  if (makesCycle(flow, source, target)) return 'that would go round in a circle; repeat nodes with a loop';
  const produced = drawing.ports.get(source)?.outputs.find((port) => port.name === source_port)?.type;
  const wanted = drawing.ports.get(target)?.inputs.find((port) => port.name === target_port)?.type;
  return mayFlow(produced, wanted) ? null : `'${target_port}' takes ${wanted}, this gives ${produced}`;
}

export function takesMany(drawing: Drawing, id: string, port: string): boolean {
  return drawing.ports.get(id)?.inputs.find((one) => one.name === port)?.many === true;
}

/** The port that an edge to a node as a whole would enter: the first that is free, else the first. */
export function firstInput(drawing: Drawing, id: string): string | null {
  const ports = portsIn(drawing, id).inputs;
  const free = ports.find((port) => port.many || !drawing.flow.edges.some((edge) => edge.target === id && edge.target_port === port.name));
  return (free ?? ports[0])?.name ?? null;
}

export function firstOutput(drawing: Drawing, id: string): string | null {
  const ports = portsIn(drawing, id).outputs;
  const free = ports.find((port) => !drawing.flow.edges.some((edge) => edge.source === id && edge.source_port === port.name));
  return (free ?? ports[0])?.name ?? null;
}

export type Way = 'left' | 'right' | 'up' | 'down';

/** The nearest node in a direction: near along it counts more than straight. */
export function neighbour(drawing: Drawing, id: string, way: Way): string | null {
  const centre = (other: string): [number, number] => {
    const box = drawing.boxes.get(other);
    const [x, y] = absolute(drawing.flow, drawing.boxes, other);
    return drawing.isLoop(other) ? [x + 60, y + 20] : [x + (box?.width ?? 0) / 2, y + (box?.height ?? 0) / 2];
  };
  const [x, y] = centre(id);
  let best: string | null = null;
  let least = Infinity;
  for (const node of drawing.flow.nodes) {
    if (node.id === id) continue;
    const [otherX, otherY] = centre(node.id);
    const [along, across] = way === 'left' ? [x - otherX, otherY - y] : way === 'right' ? [otherX - x, otherY - y] : way === 'up' ? [y - otherY, otherX - x] : [otherY - y, otherX - x];
    if (along <= 4) continue;
    const distance = along + 2.2 * Math.abs(across);
    if (distance < least) [best, least] = [node.id, distance];
  }
  return best;
}
