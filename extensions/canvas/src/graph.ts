/** The flow as React Flow wants it. A node that did not change stays the same object, so that it is not drawn again. */

import { MarkerType, Position, type Node } from '@xyflow/react';
import { titleOf, typeMap, type Ports, type TypeMap } from './catalogue';
import { edgeId, enclosing, type Flow, type Note, type Point } from './document';
import type { CanvasEdge } from './Edge';
import type { CardData, CardNode } from './FlowNode';
import { portsIn, type Drawing } from './geometry';
import type { Host } from './host';
import type { NoteNode } from './Note';
import { portOffset } from './sizes';

export type CanvasNode = CardNode | NoteNode;

export interface Shown {
  drawing: Drawing;
  host: Host;
  prefix: string;
  selected: ReadonlySet<string>;
  current: string | null;
  linking: string | null;
  dragged: ReadonlyMap<string, Point>;
  resized: ReadonlyMap<string, { width: number; height: number }>;
}

interface Cached {
  made: CanvasNode;
  of: readonly unknown[];
}

export class Graph {
  private cache = new Map<string, Cached>();
  private edgeCache = new Map<string, CanvasEdge>();

  nodes(shown: Shown): CanvasNode[] {
    const { drawing, host } = shown;
    const { flow } = drawing;
    const problems = new Map<string, number>();
    for (const problem of host.checked.get().problems) if (problem.node) problems.set(problem.node, (problems.get(problem.node) ?? 0) + 1);
    const types = typeMap(host.catalogue.get());
    const followed = new Set(flow.edges.map((edge) => `${edge.source}.${edge.source_port}`));
    const filled = new Set(flow.nodes.map((node) => node.parent));
    const next = new Map<string, Cached>();
    for (const [id, note] of Object.entries(flow.notes)) next.set(id, this.note(id, note, shown));
    // loops before their bodies: React Flow wants parents first
    const depths = new Map(flow.nodes.map((node) => [node.id, node.parent === null ? 0 : enclosing(flow, node.id).length]));
    const ordered = filled.size > 1 || !filled.has(null) ? [...flow.nodes].sort((one, other) => (depths.get(one.id) ?? 0) - (depths.get(other.id) ?? 0)) : flow.nodes;
    for (const node of ordered) next.set(node.id, this.card(node, shown, types, problems.get(node.id) ?? 0, followed, filled));
    this.cache = next;
    return [...next.values()].map(({ made }) => made);
  }

  private card(node: Flow['nodes'][number], shown: Shown, types: TypeMap, problems: number, followed: ReadonlySet<string>, filled: ReadonlySet<string | null>): Cached {
    const { drawing, host } = shown;
    const box = drawing.boxes.get(node.id) ?? { x: 0, y: 0, width: 200, height: 54 };
    const loop = drawing.isLoop(node.id);
    const ports = portsIn(drawing, node.id);
    const [x, y] = shown.dragged.get(node.id) ?? [box.x, box.y];
    const title = titleOf(types, node);
    const pinned = node.id in host.pins.get();
    const linked = shown.linking === null ? null : shown.linking === node.id ? 'from' : shown.current === node.id ? 'to' : null;
    const free = ports.outputs.filter((port) => !followed.has(`${node.id}.${port.name}`)).map((port) => port.name);
    const current = shown.current === node.id;
    const selected = shown.selected.has(node.id);
    const empty = loop && !filled.has(node.id);
    const parent = node.parent !== null && drawing.boxes.has(node.parent) ? node.parent : undefined;
    const of = [node, ports, x, y, box.width, box.height, title, problems, pinned, linked, free.join(), current, selected, empty, loop, parent];
    const known = this.cache.get(node.id);
    if (known && same(known.of, of)) return known;
    const data: CardData = { node, title, ports, free, problems, pinned, height: box.height, linked, current, dom: `${shown.prefix}-${node.id}`, empty };
    const size = { width: box.width, height: box.height };
    const made: CardNode = {
      id: node.id,
      type: loop ? 'loop' : 'card',
      position: { x, y },
      data,
      selected,
      ...size,
      measured: size,
      handles: handlesOf(ports, box),
      ...(parent !== undefined && { parentId: parent }),
      ...(loop && { dragHandle: '.nbf-loop-head' }),
    };
    return { made, of };
  }

  private note(id: string, note: Note, shown: Shown): Cached {
    const [x, y] = shown.dragged.get(id) ?? [note.box[0], note.box[1]];
    const size = shown.resized.get(id) ?? { width: note.box[2], height: note.box[3] };
    const selected = shown.selected.has(id);
    const current = shown.current === id;
    const of = [note, x, y, size.width, size.height, selected, current];
    const known = this.cache.get(id);
    if (known && same(known.of, of)) return known;
    const made: NoteNode = { id, type: 'note', position: { x, y }, data: { note, current, dom: `${shown.prefix}-${id}` }, selected, ...size, measured: size, zIndex: -1 };
    return { made, of };
  }

  edges(flow: Flow, host: Host, selected: ReadonlySet<string>): CanvasEdge[] {
    const wrong = new Set(host.checked.get().problems.flatMap((problem) => (problem.node && problem.field ? `${problem.node}.${problem.field}` : [])));
    const next = new Map<string, CanvasEdge>();
    for (const edge of flow.edges) {
      const id = edgeId(edge);
      const isWrong = wrong.has(`${edge.target}.${edge.target_port}`);
      const known = this.edgeCache.get(id);
      const chosen = selected.has(id);
      if (known && known.data?.edge === edge && known.data.wrong === isWrong && known.selected === chosen) next.set(id, known);
      else next.set(id, { id, type: 'flow', source: edge.source, sourceHandle: edge.source_port, target: edge.target, targetHandle: edge.target_port, data: { edge, wrong: isWrong }, selected: chosen, markerEnd: ARROW, ariaLabel: `from ${edge.source} ${edge.source_port} to ${edge.target} ${edge.target_port}` });
    }
    this.edgeCache = next;
    return [...next.values()];
  }
}

const ARROW = { type: MarkerType.ArrowClosed, width: 14, height: 14, color: 'var(--nbf-edge)' };

function same(one: readonly unknown[], other: readonly unknown[]): boolean {
  return one.length === other.length && one.every((value, place) => Object.is(value, other[place]));
}

const HALF = 5; // of a port's size

/** Places of the ports, told beforehand: edges are in the first picture, nothing waits to be measured. */
function handlesOf(ports: Ports, { width, height }: { width: number; height: number }): NonNullable<Node['handles']> {
  const at = (id: string, type: 'source' | 'target', position: Position, x: number, y: number): NonNullable<Node['handles']>[number] => ({ id, type, position, x: x - HALF, y: y - HALF, width: 2 * HALF, height: 2 * HALF });
  return [
    ...ports.inputs.map((port, place) => at(port.name, 'target', Position.Left, 0, portOffset(place, ports.inputs.length, height))),
    ...ports.outputs.map((port, place) => at(port.name, 'source', Position.Right, width, portOffset(place, ports.outputs.length, height))),
    ...(ports.inner?.sources ?? []).map((port, place) => at(port.name, 'source', Position.Right, 0, 66 + place * 22)),
    ...(ports.inner?.targets ?? []).map((port) => at(port.name, 'target', Position.Left, width, 66)),
  ];
}
