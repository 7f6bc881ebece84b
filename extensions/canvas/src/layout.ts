/** Where the boxes of a flow are: given positions, loops fitted around their bodies, and an automatic layout (dagre, level by level). */

import dagre from '@dagrejs/dagre';
import { childrenOf, enclosing, parentsOf, type Flow, type Point } from './document';
import { CARD_HEIGHT, CARD_WIDTH, GAP_X, GAP_Y, LOOP_MIN, LOOP_PADDING, type Size } from './sizes';

export interface Box extends Size {
  x: number; // relative to the loop around it
  y: number;
}

export type Boxes = ReadonlyMap<string, Box>;
/** Size of a node that is no loop. */
export type SizeOf = (id: string) => Size;
export type IsLoop = (id: string) => boolean;

/** Boxes of all nodes. Nodes without a position get one, which is not written into the flow: looking at it is no edit. */
export function boxesOf(flow: Flow, isLoop: IsLoop, sizeOf: SizeOf): Boxes {
  const missing = flow.nodes.filter((node) => !flow.layout[node.id]);
  const made = missing.length ? fill(flow, isLoop, sizeOf, missing.length) : {};
  const boxes = new Map<string, Box>();
  for (const node of innermostFirst(flow)) {
    const [x, y] = flow.layout[node] ?? made[node] ?? [0, 0];
    boxes.set(node, { x, y, ...(isLoop(node) ? loopSize(flow, node, boxes) : sizeOf(node)) });
  }
  return boxes;
}

function loopSize(flow: Flow, loop: string, boxes: Boxes): Size {
  let { width, height } = LOOP_MIN;
  for (const child of childrenOf(flow, loop)) {
    const box = boxes.get(child.id);
    if (!box) continue;
    width = Math.max(width, box.x + box.width + LOOP_PADDING.right);
    height = Math.max(height, box.y + box.height + LOOP_PADDING.bottom);
  }
  return { width, height };
}

/** All new when most have no place; else each new one below what is there. */
function fill(flow: Flow, isLoop: IsLoop, sizeOf: SizeOf, missing: number): Record<string, Point> {
  const all = autoLayout(flow, isLoop, sizeOf);
  if (missing * 2 >= flow.nodes.length) return all;
  const bottom = Math.max(0, ...flow.nodes.filter((node) => node.parent === null && flow.layout[node.id]).map((node) => (flow.layout[node.id]?.[1] ?? 0) + CARD_HEIGHT));
  let place = 0;
  const made: Record<string, Point> = { ...all };
  for (const node of flow.nodes) {
    if (node.parent !== null || flow.layout[node.id]) continue;
    made[node.id] = [(place % 5) * (CARD_WIDTH + GAP_X), bottom + GAP_Y * 2 + Math.floor(place / 5) * (CARD_HEIGHT + GAP_Y)];
    place += 1;
  }
  return made;
}

function innermostFirst(flow: Flow): string[] {
  return [...flow.nodes].map((node) => ({ id: node.id, depth: enclosing(flow, node.id).length })).sort((one, other) => other.depth - one.depth).map(({ id }) => id);
}

/** Positions of all nodes, relative to the loops around them: layers from left to right. */
export function autoLayout(flow: Flow, isLoop: IsLoop, sizeOf: SizeOf): Record<string, Point> {
  const points: Record<string, Point> = {};
  const sizes = new Map<string, Size>();
  const lifted = liftedEdges(flow);
  const loops = innermostFirst(flow).filter(isLoop);
  for (const level of [...loops, null]) {
    const members = childrenOf(flow, level);
    const graph = new dagre.graphlib.Graph();
    graph.setGraph({ rankdir: 'LR', nodesep: GAP_Y, ranksep: GAP_X, edgesep: 12 });
    graph.setDefaultEdgeLabel(() => ({}));
    for (const node of members) {
      const size = sizes.get(node.id) ?? sizeOf(node.id);
      sizes.set(node.id, size);
      graph.setNode(node.id, { ...size });
    }
    for (const [source, target] of lifted) if (graph.hasNode(source) && graph.hasNode(target)) graph.setEdge(source, target);
    if (members.length) dagre.layout(graph);
    const shift: Point = level === null ? [0, 0] : [LOOP_PADDING.left, LOOP_PADDING.top];
    let [right, bottom] = [0, 0];
    for (const node of members) {
      const { x, y } = graph.node(node.id) as { x: number; y: number };
      const size = sizes.get(node.id) ?? { width: CARD_WIDTH, height: CARD_HEIGHT };
      const [left, top] = [x - size.width / 2 + shift[0], y - size.height / 2 + shift[1]];
      points[node.id] = [Math.round(left), Math.round(top)];
      right = Math.max(right, left + size.width);
      bottom = Math.max(bottom, top + size.height);
    }
    if (level !== null) {
      sizes.set(level, { width: Math.max(LOOP_MIN.width, right + LOOP_PADDING.right), height: Math.max(LOOP_MIN.height, bottom + LOOP_PADDING.bottom) });
    }
  }
  return points;
}

/** Edges as links between boxes that lie side by side. */
function liftedEdges(flow: Flow): [string, string][] {
  const links: [string, string][] = [];
  const parents = parentsOf(flow);
  for (const edge of flow.edges) {
    const sources = [edge.source, ...enclosing(flow, edge.source)];
    const targets = [edge.target, ...enclosing(flow, edge.target)];
    if (sources.includes(edge.target) || targets.includes(edge.source)) continue;
    for (const source of sources) {
      const target = targets.find((other) => parents.get(other) === parents.get(source));
      if (target !== undefined) {
        links.push([source, target]);
        break;
      }
    }
  }
  return links;
}

/** Top left corner on the whole drawing. */
export function absolute(flow: Flow, boxes: Boxes, id: string): Point {
  let [x, y] = [0, 0];
  for (const each of [id, ...enclosing(flow, id)]) {
    const box = boxes.get(each);
    x += box?.x ?? 0;
    y += box?.y ?? 0;
  }
  return [x, y];
}

/** The innermost loop that holds the point, leaving out some. */
export function loopAt(flow: Flow, boxes: Boxes, isLoop: IsLoop, [x, y]: Point, without: ReadonlySet<string>): string | null {
  let found: string | null = null;
  let depth = -1;
  for (const node of flow.nodes) {
    if (!isLoop(node.id) || without.has(node.id)) continue;
    const [left, top] = absolute(flow, boxes, node.id);
    const box = boxes.get(node.id);
    const inside = box && x >= left && x <= left + box.width && y >= top && y <= top + box.height;
    const deep = enclosing(flow, node.id).length;
    if (inside && deep > depth) [found, depth] = [node.id, deep];
  }
  return found;
}

/** Bodies that stick out of their loop at the left or the top: the loop grows there, and everything else stays where it is seen. */
export function settle(flow: Flow, isLoop: IsLoop): Flow {
  const layout = { ...flow.layout };
  for (const loop of innermostFirst(flow).filter(isLoop)) {
    const body = childrenOf(flow, loop).filter((node) => layout[node.id]);
    if (!body.length) continue;
    const dx = LOOP_PADDING.left - Math.min(...body.map((node) => layout[node.id]?.[0] ?? 0));
    const dy = LOOP_PADDING.top - Math.min(...body.map((node) => layout[node.id]?.[1] ?? 0));
    const [x, y] = [Math.max(0, dx), Math.max(0, dy)];
    if (!x && !y) continue;
    for (const node of body) layout[node.id] = [(layout[node.id]?.[0] ?? 0) + x, (layout[node.id]?.[1] ?? 0) + y];
    layout[loop] = [(layout[loop]?.[0] ?? 0) - x, (layout[loop]?.[1] ?? 0) - y];
  }
  return { ...flow, layout };
}

/** A place near the wanted one where a box covers no other of the same level. */
export function freePlace(flow: Flow, boxes: Boxes, parent: string | null, wanted: Point, size: Size): Point {
  const taken = childrenOf(flow, parent).flatMap((node) => boxes.get(node.id) ?? []);
  const covers = ([x, y]: Point): boolean =>
    taken.some((box) => x < box.x + box.width + 16 && x + size.width + 16 > box.x && y < box.y + box.height + 12 && y + size.height + 12 > box.y);
  let place = wanted;
  for (let tries = 0; covers(place) && tries < 200; tries += 1) {
    const ring = Math.floor(tries / 4) + 1;
    const [dx, dy] = [[0, 1], [0, -1], [1, 0], [1, 1]][tries % 4] ?? [0, 1];
    place = [wanted[0] + (dx ?? 0) * ring * (size.width + GAP_X) * 0.5, wanted[1] + (dy ?? 0) * ring * (size.height + GAP_Y)];
  }
  return place;
}
