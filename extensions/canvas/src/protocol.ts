/**
 * What canvas and Python say to each other when a kernel (anywidget) or Bokeh (Panel) carries it. This file is the specification; the
 * Python side is written from it. All values are plain JSON. host.ts declares their shapes: the names in brackets below are its types.
 *
 * 1. TRAITS (anywidget: synced traits; Panel: params of the JSComponent). "py" writes: only Python does. All have a default.
 *
 *   flow        both  dict           The flow document, as `Flow.to_dict()`. The browser writes the whole document after each edit (at
 *                                    drag end, and while typing at most every 250 ms). It keeps top-level keys it does not know. It adds
 *                                    one: `notes`, sticky notes: {id: {text, box: [x, y, width, height], colour?, parent?}}: drawing, like
 *                                    `layout`, no meaning (core/flow.py refuses unknown keys: it must know this one, and leave it out of
 *                                    Flow.hash as it does `layout`). Python may write at any time; that is a step that the user can undo.
 *                                    Python must not write back what it just received (nor reorder its keys).
 *   catalogue   py    Catalogue      {groups: [{name, title}], types: [NodeType], filters: [{name, doc}]}. Per NodeType: `type`, `group`,
 *                                    `title` ("HTTP request"), `summary` (first line of the docstring), `doc` (all of the rest), `inputs`
 *                                    [{name, type?, required?, many?}], `outputs` [{name, type?}] (of an empty config), `container`,
 *                                    `trigger`, `lazy` and `verbatim` (lists of field names), `schema` (config.model_json_schema(), with
 *                                    x-nbflow-* hints, see schema.ts; null for functions). A Python function of the session is a type too:
 *                                    `type` "python.function:<module:name>" (what stands in config.function), group "python",
 *                                    `schema` null, `source` its text, its parameters as `inputs` (each may have `default`, any JSON).
 *                                    `missing`: why a type cannot be used here, with the remedy.
 *                                    Or only {version: n}: then the browser asks `catalogue`, now and when n changes (a widget's state is
 *                                    kept in notebooks; this is 50 KB).
 *   checked     py    Checked        {problems: [{code, message, node, field}], ports: {node id: {inputs?, outputs?}}}. Ports only of
 *                                    nodes whose ports depend on their config (callable `outputs`, `inputs_of`). After every change of flow.
 *   statuses    py    Frame          The keyframe: {seq, execution, nodes}. All that is known of the shown execution; see 3.
 *   samples     py    Samples        {execution_id, nodes: {id: preview}, inputs: {id: preview}, items: {loop id: preview}, params, vars}:
 *                                    last values as core/values.py `preview`s, for completion in expressions.
 *   credentials py    [Credential]   [{name, kind}]; never a secret.
 *   executions  py    [PastExecution] [{id, status, started_at (ISO 8601), duration? ("1.2 s")}], newest first, at most 50.
 *   pins        py    {id: Pin}      {node id: {value: {preview?, bundle?}, at: ISO 8601}}.
 *   options     py    Options        {readonly, theme: auto|light|dark, height: px or null (fill the place), capabilities: [...]}, and
 *                                    `static`: URL of the folder with canvas.js; "" when only the kernel has it; missing: the browser tries
 *                                    {baseUrl}nbflow/static/canvas/ of the Jupyter page it is on.
 *                                    Capabilities: run run_to run_node stop pin inspect evaluate executions save code. What is not
 *                                    listed is not offered.
 *   notice      py    str or None    The last thing that went wrong, for a person. Shown until it changes; None takes it away.
 *
 * 2. MESSAGES from the browser (anywidget `model.send(message)`, Python `on_msg`; Panel `model.send_msg`, Python `_handle_msg`):
 *
 *   {kind: "command", name, ...}     run | run_to {node} | run_node {node} | stop | pin {node, execution_id or null} | unpin {node} |
 *                                    show_execution {execution_id or null} | save. No answer: what it does shows in the traits. Every
 *                                    command comes after the `flow` it means: the browser syncs the flow first. A run must go on off
 *                                    the main thread and the handler return at once: while it does not, no `stop` is heard.
 *   {kind: "renamed", from, to}      Just before the `flow` in which that node has its new id: its pin and its past go along.
 *   {kind: "ask", id, question, ask} A question; `id` is a string of the browser's. Exactly one answer:
 *
 *   {kind: "answer", id, answer}     to the asking browser, or {kind: "answer", id, error: "text for a person"}.
 *
 *   question   ask                                answer
 *   inspect    {node, execution_id or null}       NodeRecord, or null when the node did not run there. null asks for the shown one.
 *                                                 {execution_id, status, started_at?, duration?, attempt?, iterations?, inputs: {port: Value},
 *                                                 outputs: {port: Value}, displays?: [Value], logs?: [{level, text}],
 *                                                 error?: {type, message, traceback?}}; Value is {preview?, bundle? (MIME type to data)}.
 *   evaluate   {node, text, bare}                 {value: Value} or {error}: the text as that node would see it, with the last values.
 *                                                 `bare`: the whole text is one expression, without braces. Never runs a node.
 *   code       {}                                 {source}: the flow as Python with decorators.
 *   catalogue  {}                                 Catalogue, see above.
 *   bundle     {}                                 {text}: canvas.js, where it is not served. Asked once a page (widget.js, panel.js).
 *
 * Traps: ipywidgets has traits of its own (`log`, `keys`, `comm`), so the widget class must not use these names. In Panel the listener of
 * `msg:custom` gets the message itself, and each view has a host of its own (Panel makes a model proxy for each).
 *
 * 3. MESSAGES from Python:
 *
 *   {kind: "statuses", seq, execution?, nodes}    A delta: only nodes that changed, each whole. `execution` when it changed. At most
 *                                    20 a second, all together. `seq` rises with every frame, keyframes too; a delta whose seq is not
 *                                    higher than the last is dropped. Messages sent before a view exists are lost, so the trait `statuses`
 *                                    is set too: when a run begins, every 2 s while it changes, and when it has ended.
 *                                    nodes: {id: {status, detail?, fraction?, message?, items?: {port: count}, error?, attempt?}};
 *                                    execution: {id, status, elapsed?, done?, total?, error?, error_node?} or null.
 *   {kind: "answer", ...}            see above.
 */

import type { Command, Questions } from './host';
import type { JsonObject } from './json';
import type { Frame } from './statuses';

export const TRAITS = ['flow', 'catalogue', 'checked', 'statuses', 'samples', 'credentials', 'executions', 'pins', 'options', 'notice'] as const;
export type Trait = (typeof TRAITS)[number];

export type ToPython =
  | ({ kind: 'command' } & Command)
  | { kind: 'renamed'; from: string; to: string }
  | { kind: 'ask'; id: string; question: keyof Questions | 'bundle'; ask: unknown };

export type Answer = { kind: 'answer'; id: string; answer: unknown } | { kind: 'answer'; id: string; error: string };
export type FromPython = ({ kind: 'statuses' } & Frame) | Answer;

/** What carries traits and messages: anywidget's model or Panel's, made alike. */
export interface Link {
  get(trait: Trait): unknown;
  /** Tells of changes by Python; of our own too where the carrier does so. */
  onChange(trait: Trait, listener: () => void): () => void;
  writeFlow(flow: JsonObject): void;
  send(message: ToPython): void;
  onMessage(listener: (message: unknown) => void): () => void;
}

export function isFromPython(message: unknown): message is FromPython {
  if (typeof message !== 'object' || message === null) return false;
  const { kind, seq, nodes, id } = message as Record<string, unknown>;
  return kind === 'statuses' ? typeof seq === 'number' && typeof nodes === 'object' && nodes !== null : kind === 'answer' && typeof id === 'string';
}
