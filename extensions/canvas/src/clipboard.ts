/** Copies of parts of a flow, as JSON text on the system's clipboard: they can be pasted into another canvas, or into a mail. */

import { freeId, readFlow, withBodies, writeFlow, type Flow, type Note, type Point } from './document';
import { freeNoteId } from './edits';
import { mapExpressions, NO_FIELDS, renameInExpression, type ExpressionFields } from './expressions';

/** The nodes with their bodies, the edges among them and the notes; positions stay. */
export function cut(flow: Flow, ids: Iterable<string>, points: Readonly<Record<string, Point>>): Flow {
  const wanted = withBodies(flow, ids);
  const nodes = flow.nodes.filter((node) => wanted.has(node.id));
  return {
    name: flow.name,
    nodes: nodes.map((node) => (node.parent !== null && !wanted.has(node.parent) ? { ...node, parent: null } : node)),
    edges: flow.edges.filter((edge) => wanted.has(edge.source) && wanted.has(edge.target)),
    layout: Object.fromEntries(nodes.map((node) => [node.id, points[node.id] ?? flow.layout[node.id] ?? [0, 0]])),
    notes: Object.fromEntries(Object.entries(flow.notes).filter(([id]) => wanted.has(id))),
    rest: {},
  };
}

export function toText(part: Flow): string {
  return JSON.stringify(writeFlow(part), null, 2);
}

/** The flow in a clipboard's text, null when it is something else. */
export function fromText(text: string): Flow | null {
  if (!text.trimStart().startsWith('{')) return null;
  try {
    const json: unknown = JSON.parse(text);
    const flow = readFlow(json);
    return flow.nodes.length || Object.keys(flow.notes).length ? flow : null;
  } catch {
    return null;
  }
}

export interface Pasted {
  flow: Flow;
  ids: string[]; // of the new nodes and notes
}

/** Adds the part under free ids; expressions in it follow the new names. `shift` moves what stands at the top. */
export function paste(flow: Flow, part: Flow, shift: Point, parent: string | null, fieldsOf: (type: string) => ExpressionFields = () => NO_FIELDS): Pasted {
  const names = new Map<string, string>();
  for (const node of part.nodes) names.set(node.id, freeId(flow, node.id, new Set(names.values())));
  const renameAll = (expression: string): string => {
    // through names that cannot occur, so that a swap of two ids does not rename twice
    let text = expression;
    for (const from of names.keys()) text = renameInExpression(text, from, `nbf__paste__${from}`);
    for (const [from, to] of names) text = renameInExpression(text, `nbf__paste__${from}`, to);
    return text;
  };
  const nodes = part.nodes.map((node) => ({
    ...node,
    id: names.get(node.id) ?? node.id,
    parent: node.parent === null ? parent : (names.get(node.parent) ?? parent),
    config: mapExpressions(node.config, fieldsOf(node.type), renameAll),
  }));
  const layout = { ...flow.layout };
  for (const node of part.nodes) {
    const [x, y] = part.layout[node.id] ?? [0, 0];
    layout[names.get(node.id) ?? node.id] = node.parent === null ? [x + shift[0], y + shift[1]] : [x, y];
  }
  let next: Flow = {
    ...flow,
    nodes: [...flow.nodes, ...nodes],
    edges: [...flow.edges, ...part.edges.map((edge) => ({ ...edge, source: names.get(edge.source) ?? edge.source, target: names.get(edge.target) ?? edge.target }))],
    layout,
  };
  const noteIds: string[] = [];
  for (const note of Object.values(part.notes)) {
    const id = freeNoteId(next);
    const copy: Note = { ...note, box: [note.box[0] + shift[0], note.box[1] + shift[1], note.box[2], note.box[3]] };
    delete copy.parent;
    next = { ...next, notes: { ...next.notes, [id]: copy } };
    noteIds.push(id);
  }
  return { flow: next, ids: [...names.values(), ...noteIds] };
}
