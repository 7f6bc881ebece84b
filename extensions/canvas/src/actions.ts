/** Everything that a person can do in a view, by name. Toolbar, keys, menus and mouse call these; none of them edits by itself. */

import * as clipboard from './clipboard';
import { edgeId, nodeOf, type Flow, type FlowEdge, type Point } from './document';
import { addNode, addNote, connect, disconnect, freeNoteId, idForType, move, remove, rename, reparent, toggleDisabled, wrapInLoop } from './edits';
import type { Editor } from './editor';
import { draw, firstInput, firstOutput, neighbour, portsIn, refusal, takesMany, type Drawing, type Ends, type Way } from './geometry';
import type { Capability } from './host';
import { absolute, autoLayout, freePlace, loopAt, settle } from './layout';
import { CARD_HEIGHT, CARD_WIDTH, cardSize, GAP_X, GAP_Y, GRID, LOOP_MIN, LOOP_PADDING, NOTE_SIZE } from './sizes';
import type { FlowTab, From, View } from './view';

/** What the actions need of the drawing on the screen. */
export interface Stage {
  fit(): void;
  zoom(way: 'in' | 'out' | 'full'): void;
  reveal(id: string): void;
  centre(): Point; // of what is visible, in the flow
  toScreen(point: Point): Point; // within the canvas element
  focus(): void;
}

export class Actions {
  private drawn: Drawing | null = null;
  private memory = ''; // what was copied, where the system's clipboard is not to be had

  constructor(
    readonly editor: Editor,
    readonly view: View,
    readonly stage: Stage,
  ) {}

  /** Types, ports and boxes of the flow as it is now. */
  drawing(): Drawing {
    const flow = this.editor.flow.get();
    if (this.drawn?.flow !== flow) this.drawn = draw(flow, this.editor, this.drawn ?? undefined);
    return this.drawn;
  }

  /** The catalogue or the worked-out ports changed: draw anew. */
  forget(): void {
    this.drawn = null;
  }

  can(capability: Capability): boolean {
    return this.editor.host.options.get().capabilities.includes(capability);
  }

  get readonly(): boolean {
    return this.editor.host.options.get().readonly;
  }

  // Add and connect --------------------------------------------------------------------------------

  /** Opens the list of types: at a point, from a port, on an edge, or beside the current node. */
  ask(options: { at?: Point; from?: From; edge?: string; parent?: string | null } = {}): void {
    if (this.readonly) return;
    const at = options.at ?? (options.from ? this.placeBeside(options.from) : this.stage.centre());
    const parent = options.parent !== undefined ? options.parent : options.from ? this.parentBeside(options.from) : null;
    const corner = options.from || options.edge ? this.toAbsolute(at, parent) : at;
    this.view.adding.set({ at, screen: this.stage.toScreen(corner), from: options.from ?? null, edge: options.edge ?? null, parent });
  }

  /** Asks what comes between the ends of an edge; the point is on the whole drawing. */
  askBetween(edge: string, [x, y]: Point, parent: string | null): void {
    const [left, top] = this.toAbsolute([0, 0], parent);
    this.ask({ edge, at: [x - left, y - top], parent });
  }

  /** Adds a node of the type and selects it. After `from` it is connected; on an edge it comes between. */
  add(type: string, options: { at?: Point; from?: From | null; edge?: string | null; parent?: string | null } = {}): string | null {
    const { flow } = this.drawing();
    const declared = this.editor.host.catalogue.get().types.find((one) => one.type === type);
    const [name, fn] = type.startsWith('python.function:') ? ['python.function', type.slice('python.function:'.length)] : [type, null];
    const id = idForType(flow, fn ? fn.replace(/^.*[:.]/, '') : name);
    const from = options.from ?? null;
    const parent = options.parent !== undefined ? options.parent : from ? this.parentBeside(from) : null;
    const size = declared?.container ? LOOP_MIN : { width: CARD_WIDTH, height: CARD_HEIGHT };
    const wanted = options.at ?? (from ? this.placeBeside(from) : this.centred(size));
    const at = freePlace(flow, this.drawing().boxes, parent, wanted, size);
    this.editor.edit(`add ${id}`, (before) => {
      let next = addNode(before, { id, type: name, at: [snap(at[0]), snap(at[1])], parent, config: fn ? { function: fn } : {} });
      const split = options.edge ? before.edges.find((edge) => edgeId(edge) === options.edge) : undefined;
      if (split) next = this.splice(next, split, id);
      else if (from) next = this.joinNew(next, from, id);
      return settle(next, draw(next, this.editor).isLoop);
    });
    if (!nodeOf(this.editor.flow.get(), id)) return null;
    this.view.adding.set(null);
    this.view.select([id]);
    this.view.tab.set('configure');
    this.revealSoon(id);
    this.view.say(`${declared?.title ?? type} added as ${id}`);
    return id;
  }

  private joinNew(flow: Flow, from: From, id: string): Flow {
    const drawing = draw(flow, this.editor);
    const ends: Ends | null =
      from.way === 'out'
        ? ends_(from.node, from.port, id, firstInput(drawing, id))
        : ends_(id, firstOutput(drawing, id), from.node, from.port);
    return ends && refusal(drawing, ends) === null ? connect(flow, ends, takesMany(drawing, ends.target, ends.target_port)) : flow;
  }

  private splice(flow: Flow, edge: FlowEdge, id: string): Flow {
    const drawing = draw(flow, this.editor);
    const input = firstInput(drawing, id);
    const output = firstOutput(drawing, id);
    let next = disconnect(flow, new Set([edgeId(edge)]));
    if (input) next = connect(next, { ...edge, target: id, target_port: input }, false);
    if (output) next = connect(next, { source: id, source_port: output, target: edge.target, target_port: edge.target_port }, true);
    return next;
  }

  join(ends: Ends): boolean {
    const drawing = this.drawing();
    const why = refusal(drawing, ends);
    if (why) {
      this.view.tell(`Not connected: ${why}.`, 'error');
      return false;
    }
    const many = takesMany(drawing, ends.target, ends.target_port);
    const old = many ? undefined : drawing.flow.edges.find((edge) => edge.target === ends.target && edge.target_port === ends.target_port && edge.source !== ends.source);
    this.editor.edit(`connect ${ends.source} to ${ends.target}`, (flow) => connect(flow, ends, many));
    if (old) this.view.tell(`Replaced the connection from ${old.source}: '${ends.target_port}' takes one. Use Merge for several.`, 'info', true);
    else this.view.say(`${ends.source} connected to ${ends.target}`);
    return true;
  }

  private parentBeside(from: From): string | null {
    const { flow, ports } = this.drawing();
    const isInner = from.way === 'out' && ports.get(from.node)?.inner?.sources.some((port) => port.name === from.port) && !ports.get(from.node)?.outputs.some((port) => port.name === from.port);
    const isResult = from.way === 'in' && ports.get(from.node)?.inner?.targets.some((port) => port.name === from.port);
    return isInner || isResult ? from.node : (nodeOf(flow, from.node)?.parent ?? null);
  }

  private placeBeside(from: From): Point {
    const { boxes } = this.drawing();
    const box = boxes.get(from.node) ?? { x: 0, y: 0, width: CARD_WIDTH, height: CARD_HEIGHT };
    const parent = this.parentBeside(from);
    if (parent === from.node) return from.way === 'out' ? [LOOP_PADDING.left + 20, LOOP_PADDING.top] : [Math.max(LOOP_PADDING.left, box.width - CARD_WIDTH - LOOP_PADDING.right), LOOP_PADDING.top];
    const outputs = portsIn(this.drawing(), from.node).outputs;
    const place = outputs.findIndex((port) => port.name === from.port);
    const spread = from.way === 'out' && outputs.length > 1 ? (place - (outputs.length - 1) / 2) * (CARD_HEIGHT + GAP_Y) : 0;
    const x = from.way === 'out' ? box.x + box.width + GAP_X : box.x - CARD_WIDTH - GAP_X;
    return [x, box.y + box.height / 2 - CARD_HEIGHT / 2 + spread];
  }

  private centred({ width, height }: { width: number; height: number }): Point {
    const [x, y] = this.stage.centre();
    return [x - width / 2, y - height / 2];
  }

  private toAbsolute([x, y]: Point, parent: string | null): Point {
    if (parent === null) return [x, y];
    const { flow, boxes } = this.drawing();
    const [left, top] = absolute(flow, boxes, parent);
    return [x + left, y + top];
  }

  // Move -------------------------------------------------------------------------------------------

  /** The end of a drag: new positions, each relative to the node's loop. A node dropped into or out of a loop changes its place in the flow. */
  drop(points: Readonly<Record<string, Point>>): void {
    const drawing = this.drawing();
    const { flow, boxes, isLoop } = drawing;
    const dragged = new Set(Object.keys(points));
    this.editor.edit(dragged.size === 1 ? `move ${[...dragged][0]}` : `move ${dragged.size} nodes`, (before) => {
      let next = move(before, points);
      for (const id of dragged) {
        const node = nodeOf(flow, id);
        const box = boxes.get(id);
        const point = points[id];
        if (!node || !box || !point || (node.parent !== null && dragged.has(node.parent))) continue;
        const [x, y] = this.toAbsolute(point, node.parent);
        const centre: Point = [x + box.width / 2, y + Math.min(box.height / 2, 40)];
        const loop = loopAt(flow, boxes, isLoop, centre, dragged);
        if (loop === node.parent) continue;
        const [left, top] = loop === null ? [0, 0] : absolute(flow, boxes, loop);
        next = reparent(next, id, loop, [x - left, y - top]);
        this.view.say(loop === null ? `${id} left the loop` : `${id} is now inside ${loop}`);
      }
      return settle(next, isLoop);
    });
  }

  /** Once it is drawn where it now is. */
  private revealSoon(id: string | null): void {
    if (id !== null) requestAnimationFrame(() => this.stage.reveal(id));
  }

  nudge(dx: number, dy: number): void {
    const { boxes, flow } = this.drawing();
    const points: Record<string, Point> = {};
    for (const id of this.view.selected.get()) {
      const box = boxes.get(id);
      const note = flow.notes[id];
      if (note) points[id] = [note.box[0] + dx, note.box[1] + dy];
      else if (box) points[id] = [box.x + dx, box.y + dy];
    }
    if (Object.keys(points).length) this.editor.edit('move', (before) => settle(move(before, points), this.drawing().isLoop), { key: 'nudge' });
  }

  walk(way: Way): void {
    const { flow } = this.drawing();
    const current = this.view.current.get();
    const next = current === null ? (flow.nodes[0]?.id ?? null) : neighbour(this.drawing(), current, way);
    if (next === null) return;
    if (this.view.linking.get()) this.view.current.set(next);
    else this.view.select([next]);
    this.stage.reveal(next);
  }

  layout(): void {
    const { flow, isLoop, ports } = this.drawing();
    const points = autoLayout(flow, isLoop, (id) => cardSize(ports.get(id) ?? { inputs: [], outputs: [], inner: null }));
    this.editor.edit('lay out', (before) => move(before, points));
    requestAnimationFrame(() => this.stage.fit());
    this.view.say('Laid out');
  }

  // Edit -------------------------------------------------------------------------------------------

  removeSelected(): void {
    const ids = new Set(this.view.selected.get());
    const edges = this.view.edges.get();
    if (!ids.size && !edges.size) return;
    const { flow } = this.drawing();
    const current = this.view.current.get();
    const after = current !== null && ids.size === 1 ? (flow.edges.find((edge) => edge.target === current)?.source ?? null) : null;
    this.editor.edit(ids.size === 1 ? `delete ${[...ids][0]}` : ids.size ? `delete ${ids.size} nodes` : 'delete connection', (before) =>
      remove(disconnect(before, edges), ids, { bridge: true }),
    );
    this.view.select(after ? [after] : [], after);
    this.revealSoon(after);
    this.view.say(ids.size ? `${[...ids].join(', ')} deleted` : 'Connection deleted');
  }

  rename(from: string, to: string): string | null {
    const { flow } = this.drawing();
    if (from === to) return null;
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(to)) return 'An id begins with a letter and goes on with letters, digits and _.';
    if (nodeOf(flow, to)) return `There is another node '${to}'.`;
    this.editor.edit(`rename ${from}`, (before) => rename(before, from, to, this.editor.fieldsOf), { renamed: { from, to } });
    this.view.select([to]);
    this.view.say(`${from} is now ${to}; edges and expressions follow`);
    return null;
  }

  toggle(ids: ReadonlySet<string> = this.view.selected.get()): void {
    if (ids.size) this.editor.edit('disable', (flow) => toggleDisabled(flow, ids));
  }

  copy(): Promise<void> {
    const { flow, boxes } = this.drawing();
    const points = Object.fromEntries([...boxes].map(([id, box]) => [id, [box.x, box.y] as Point]));
    this.memory = clipboard.toText(clipboard.cut(flow, this.view.selected.get(), points));
    this.view.say(`${this.view.selected.get().size} copied`);
    // refused without a secure page or a permission: then the copy stays inside this view
    return navigator.clipboard?.writeText(this.memory).catch(() => undefined) ?? Promise.resolve();
  }

  async paste(): Promise<void> {
    const text = await (navigator.clipboard?.readText?.().catch(() => '') ?? Promise.resolve(''));
    const part = clipboard.fromText(text) ?? clipboard.fromText(this.memory);
    if (!part) {
      this.view.tell('The clipboard holds no nodes.', 'error');
      return;
    }
    this.insert(part, 'paste', [GRID * 4, GRID * 4]);
  }

  duplicate(): void {
    const { flow, boxes } = this.drawing();
    const points = Object.fromEntries([...boxes].map(([id, box]) => [id, [box.x, box.y] as Point]));
    this.insert(clipboard.cut(flow, this.view.selected.get(), points), 'duplicate', [GRID * 3, CARD_HEIGHT + GAP_Y]);
  }

  private insert(part: Flow, label: string, shift: Point): void {
    const current = this.view.current.get();
    const parent = current === null ? null : (nodeOf(this.drawing().flow, current)?.parent ?? null);
    let ids: string[] = [];
    const { layout } = this.drawing().flow;
    const taken = new Set(Object.values(layout).map(String));
    let times = 1; // a second copy must not cover the first
    while (times < 40 && Object.values(part.layout).some(([x, y]) => taken.has(String([x + shift[0] * times, y + shift[1] * times])))) times += 1;
    this.editor.edit(label, (before) => {
      const pasted = clipboard.paste(before, part, [shift[0] * times, shift[1] * times], parent, this.editor.fieldsOf);
      ids = pasted.ids;
      return pasted.flow;
    });
    this.view.select(ids);
    this.revealSoon(ids[0] ?? null);
    this.view.say(`${ids.length} pasted`);
  }

  group(type = 'logic.loop.foreach'): void {
    const { flow, boxes } = this.drawing();
    const selected = [...this.view.selected.get()].filter((id) => nodeOf(flow, id));
    const first = nodeOf(flow, selected[0]);
    if (!first) return;
    const members = selected.filter((id) => nodeOf(flow, id)?.parent === first.parent);
    const left = Math.min(...members.map((id) => boxes.get(id)?.x ?? 0));
    const top = Math.min(...members.map((id) => boxes.get(id)?.y ?? 0));
    const points = Object.fromEntries(
      members.map((id) => [id, [(boxes.get(id)?.x ?? 0) - left + LOOP_PADDING.left, (boxes.get(id)?.y ?? 0) - top + LOOP_PADDING.top] as Point]),
    );
    const id = idForType(flow, type);
    this.editor.edit('put into a loop', (before) =>
      wrapInLoop(before, new Set(members), { id, type, at: [left - LOOP_PADDING.left, top - LOOP_PADDING.top] }, points),
    );
    this.view.select([id]);
  }

  note(at?: Point): void {
    const [x, y] = at ?? this.centred(NOTE_SIZE);
    const id = freeNoteId(this.drawing().flow);
    this.editor.edit('add note', (flow) => addNote(flow, id, { text: '', box: [snap(x), snap(y), NOTE_SIZE.width, NOTE_SIZE.height] }));
    this.view.select([id], id);
    this.view.renaming.set(id);
  }

  undo(): void {
    const label = this.editor.undo();
    this.afterStep(label ? `Undone: ${label}` : 'Nothing to undo');
  }

  redo(): void {
    const label = this.editor.redo();
    this.afterStep(label ? `Done again: ${label}` : 'Nothing to do again');
  }

  private afterStep(text: string): void {
    const flow = this.editor.flow.get();
    const left = [...this.view.selected.get()].filter((id) => nodeOf(flow, id) || flow.notes[id]);
    this.view.select(left);
    this.view.say(text);
    if (this.view.toast.get()?.undo) this.view.toast.set(null);
  }

  // Run --------------------------------------------------------------------------------------------

  run(kind: 'run' | 'run_to' | 'run_node', node: string | null = this.view.current.get()): void {
    if (!this.can(kind) || (kind !== 'run' && node === null)) return;
    this.view.execution.set(null);
    this.editor.host.command(kind === 'run' ? { name: 'run' } : { name: kind, node: node ?? '' });
    this.view.say(kind === 'run' ? 'Running' : kind === 'run_to' ? `Running to ${node}` : `Running ${node}`);
  }

  pin(node: string | null = this.view.current.get()): void {
    if (node === null || !this.can('pin')) return;
    const pinned = node in this.editor.host.pins.get();
    this.editor.host.command(pinned ? { name: 'unpin', node } : { name: 'pin', node, execution_id: this.view.execution.get() });
    this.view.say(pinned ? `${node} is no longer pinned` : `Output of ${node} pinned`);
  }

  /** The panel of the flow as a whole. */
  showFlow(tab: FlowTab): void {
    this.view.select([]);
    this.view.flowTab.set(tab);
    this.view.flowPanel.set(true);
  }

  /** An earlier execution, or the newest with null: its statuses on the nodes, its values in the panels. */
  showExecution(id: string | null): void {
    this.view.execution.set(id);
    this.editor.host.command({ name: 'show_execution', execution_id: id });
    this.view.say(id === null ? 'The newest execution is shown' : 'An earlier execution is shown');
  }

  nextProblem(): void {
    const nodes = [...new Set(this.editor.host.checked.get().problems.flatMap((problem) => problem.node ?? []))].filter((id) => nodeOf(this.drawing().flow, id));
    const next = nodes[(nodes.indexOf(this.view.current.get() ?? '') + 1) % Math.max(1, nodes.length)];
    if (next === undefined) {
      this.showFlow('problems');
      return;
    }
    this.view.select([next]);
    this.view.tab.set('configure');
    this.stage.reveal(next);
  }
}

function ends_(source: string, source_port: string | null, target: string, target_port: string | null): Ends | null {
  return source_port !== null && target_port !== null ? { source, source_port, target, target_port } : null;
}

function snap(value: number): number {
  return Math.round(value / GRID) * GRID;
}
