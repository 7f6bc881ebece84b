/** Edits of a flow: each takes one and gives the next. What an edit cannot do it leaves as it is. */

import { edgeId, enclosing, freeId, nodeOf, withBodies, type Flow, type FlowEdge, type FlowNode, type NodeSettings, type Note, type Point } from './document';
import { mapExpressions, NO_FIELDS, renameInExpression, type ExpressionFields } from './expressions';
import { isObject, withKey, type JsonObject } from './json';

export interface NewNode {
  id: string;
  type: string;
  at: Point;
  parent?: string | null;
  config?: JsonObject;
}

export function addNode(flow: Flow, { id, type, at, parent = null, config = {} }: NewNode): Flow {
  const node: FlowNode = { id, type, config, parent, settings: {} };
  return { ...flow, nodes: [...flow.nodes, node], layout: { ...flow.layout, [id]: rounded(at) } };
}

/** A second edge into a port that takes one replaces the first; `many` tells that the port takes any number. */
export function connect(flow: Flow, edge: Omit<FlowEdge, 'path'> & { path?: FlowEdge['path'] }, many: boolean): Flow {
  const added: FlowEdge = { path: [], ...edge };
  const id = edgeId(added);
  if (flow.edges.some((other) => edgeId(other) === id)) return flow;
  const kept = many ? flow.edges : flow.edges.filter((other) => other.target !== edge.target || other.target_port !== edge.target_port);
  return { ...flow, edges: [...kept, added] };
}

export function disconnect(flow: Flow, ids: ReadonlySet<string>): Flow {
  const edges = flow.edges.filter((edge) => !ids.has(edgeId(edge)));
  return edges.length === flow.edges.length ? flow : { ...flow, edges };
}

/** Positions only: no change of the flow's meaning. Ids of notes move their box. */
export function move(flow: Flow, points: Readonly<Record<string, Point>>): Flow {
  const layout = { ...flow.layout };
  const notes = { ...flow.notes };
  for (const [id, point] of Object.entries(points)) {
    const note = notes[id];
    const [x, y] = rounded(point);
    if (note) notes[id] = { ...note, box: [x, y, note.box[2], note.box[3]] };
    else layout[id] = [x, y];
  }
  return { ...flow, layout, notes };
}

/** Into another loop, or to the top with null. Points are relative to the new parent. */
export function reparent(flow: Flow, id: string, parent: string | null, at: Point): Flow {
  if (parent === id || (parent !== null && enclosing(flow, parent).includes(id))) return flow;
  return {
    ...flow,
    nodes: flow.nodes.map((node) => (node.id === id && node.parent !== parent ? { ...node, parent } : node)),
    layout: { ...flow.layout, [id]: rounded(at) },
  };
}

/** Removes nodes with their bodies, their edges, and notes. A node between one source and one target leaves the two joined. */
export function remove(flow: Flow, ids: Iterable<string>, { bridge = false } = {}): Flow {
  const gone = withBodies(flow, ids);
  let next = flow;
  if (bridge && gone.size === 1) {
    const [only] = gone as Set<string>;
    const before = flow.edges.filter((edge) => edge.target === only);
    const after = flow.edges.filter((edge) => edge.source === only);
    const [enters, leaves] = [before[0], after[0]];
    if (before.length === 1 && after.length === 1 && enters && leaves && enters.source !== leaves.target) {
      next = { ...next, edges: [...next.edges, { ...leaves, source: enters.source, source_port: enters.source_port, path: enters.path }] };
    }
  }
  const outputs = next.rest['outputs'];
  return {
    ...next,
    nodes: next.nodes.filter((node) => !gone.has(node.id)),
    edges: next.edges.filter((edge) => !gone.has(edge.source) && !gone.has(edge.target)),
    layout: without(next.layout, gone),
    notes: Object.fromEntries(Object.entries(next.notes).filter(([id, note]) => !gone.has(id) && !(note.parent && gone.has(note.parent)))),
    rest: isObject(outputs)
      ? { ...next.rest, outputs: Object.fromEntries(Object.entries(outputs).filter(([, output]) => !(isObject(output) && gone.has(String(output['node']))))) }
      : next.rest,
  };
}

function without<T>(record: Readonly<Record<string, T>>, gone: ReadonlySet<string>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).filter(([id]) => !gone.has(id)));
}

export function setConfig(flow: Flow, id: string, config: JsonObject): Flow {
  return replaceNode(flow, id, (node) => ({ ...node, config }));
}

export function setSettings(flow: Flow, id: string, settings: NodeSettings): Flow {
  const next = replaceNode(flow, id, (node) => ({ ...node, settings }));
  if (settings.on_error === 'output') return next;
  return { ...next, edges: next.edges.filter((edge) => edge.source !== id || edge.source_port !== 'error') };
}

/** All of them: on unless all are. */
export function toggleDisabled(flow: Flow, ids: ReadonlySet<string>): Flow {
  const disabled = !flow.nodes.filter((node) => ids.has(node.id)).every((node) => node.settings.disabled);
  return {
    ...flow,
    nodes: flow.nodes.map((node) => (ids.has(node.id) ? { ...node, settings: withKey(node.settings, 'disabled', disabled || undefined) } : node)),
  };
}

function replaceNode(flow: Flow, id: string, change: (node: FlowNode) => FlowNode): Flow {
  return { ...flow, nodes: flow.nodes.map((node) => (node.id === id ? change(node) : node)) };
}

/** A new id, with the edges, bodies, outputs and expressions that name it kept in step. */
export function rename(flow: Flow, from: string, to: string, fieldsOf: (type: string) => ExpressionFields = () => NO_FIELDS): Flow {
  if (from === to || nodeOf(flow, to) || !nodeOf(flow, from)) return flow;
  const outputs = flow.rest['outputs'];
  return {
    ...flow,
    nodes: flow.nodes.map((node) => {
      const config = mapExpressions(node.config, fieldsOf(node.type), (expression) => renameInExpression(expression, from, to));
      const moved = node.parent === from ? to : node.parent;
      const id = node.id === from ? to : node.id;
      return config === node.config && moved === node.parent && id === node.id ? node : { ...node, id, config, parent: moved };
    }),
    edges: flow.edges.map((edge) =>
      edge.source === from || edge.target === from
        ? { ...edge, source: edge.source === from ? to : edge.source, target: edge.target === from ? to : edge.target }
        : edge,
    ),
    layout: Object.fromEntries(Object.entries(flow.layout).map(([id, point]) => [id === from ? to : id, point])),
    notes: Object.fromEntries(Object.entries(flow.notes).map(([id, note]) => [id, note.parent === from ? { ...note, parent: to } : note])),
    rest: isObject(outputs)
      ? {
          ...flow.rest,
          outputs: Object.fromEntries(
            Object.entries(outputs).map(([name, output]) => [name, isObject(output) && output['node'] === from ? { ...output, node: to } : output]),
          ),
        }
      : flow.rest,
  };
}

/**
 * Puts nodes that lie side by side into a new loop. Edges that came to them from outside come to the loop and start at its `item`;
 * those that left now leave the loop, and the last inside goes to `result`.
 */
export function wrapInLoop(flow: Flow, ids: ReadonlySet<string>, loop: NewNode, points: Readonly<Record<string, Point>>): Flow {
  const members = flow.nodes.filter((node) => ids.has(node.id));
  const parent = members[0]?.parent ?? null;
  const inside = new Set(members.filter((node) => node.parent === parent).map((node) => node.id));
  if (!inside.size) return flow;
  const edges: FlowEdge[] = [];
  for (const edge of flow.edges) {
    const from = inside.has(edge.source);
    const into = inside.has(edge.target);
    if (from === into) edges.push(edge);
    else if (into) {
      edges.push({ ...edge, target: loop.id, target_port: 'input' });
      edges.push({ source: loop.id, source_port: 'item', target: edge.target, target_port: edge.target_port, path: [] });
    } else {
      edges.push({ source: edge.source, source_port: edge.source_port, target: loop.id, target_port: 'result', path: edge.path });
      edges.push({ ...edge, source: loop.id, source_port: 'output', path: [] });
    }
  }
  if (!edges.some((edge) => edge.target === loop.id && edge.target_port === 'result')) {
    const last = members.find((node) => !flow.edges.some((edge) => edge.source === node.id && inside.has(edge.target)));
    if (last) edges.push({ source: last.id, source_port: 'output', target: loop.id, target_port: 'result', path: [] });
  }
  const first = flow.nodes.findIndex((node) => inside.has(node.id));
  const body = flow.nodes.map((node) => (inside.has(node.id) ? { ...node, parent: loop.id } : node));
  body.splice(first, 0, { id: loop.id, type: loop.type, config: loop.config ?? {}, parent, settings: {} });
  return { ...flow, nodes: body, edges: onePerPort(edges), layout: { ...flow.layout, ...points, [loop.id]: rounded(loop.at) } };
}

/** The first edge into each port; several edges that entered a group become one that enters its loop. */
function onePerPort(edges: readonly FlowEdge[]): FlowEdge[] {
  const seen = new Set<string>();
  return edges.filter((edge) => {
    const id = edgeId(edge);
    return seen.has(id) ? false : seen.add(id);
  });
}

export function addNote(flow: Flow, id: string, note: Note): Flow {
  return { ...flow, notes: { ...flow.notes, [id]: note } };
}

export function changeNote(flow: Flow, id: string, change: Partial<Note>): Flow {
  const note = flow.notes[id];
  return note ? { ...flow, notes: { ...flow.notes, [id]: { ...note, ...change } } } : flow;
}

export function freeNoteId(flow: Flow): string {
  let number = 1;
  while (flow.notes[`note_${number}`] || nodeOf(flow, `note_${number}`)) number += 1;
  return `note_${number}`;
}

/** Whole pixels: a document's diff should not tell of a mouse's fractions. */
function rounded([x, y]: Point): Point {
  return [Math.round(x), Math.round(y)];
}

/** An id like the type's last word: `http` of `action.http`. */
export function idForType(flow: Flow, type: string): string {
  const words = type.split('.');
  const last = words.at(-1) ?? type;
  return freeId(flow, /^(if|for|while|python)$/.test(last) && words.length > 1 ? words.slice(-2).join('_').replace(/^logic_/, '') + (last === 'if' ? '_' : '') : last);
}
