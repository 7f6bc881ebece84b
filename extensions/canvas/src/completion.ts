/** What may come next while an expression is written. */

import type { Word } from './catalogue';
import { pieces } from './expressions';
import { brief, follow, keysOf, type Reach } from './reach';

export interface Option {
  label: string;
  detail: string;
}

export interface Completion {
  from: number; // in the text; up to the caret is replaced
  options: readonly Option[];
}

const PATH = /((?:[A-Za-z_]\w*)(?:\s*(?:\.\s*[A-Za-z_]\w*|\[\s*(?:'[^']*'|"[^"]*"|-?\d+)\s*\]))*)\s*\.\s*([A-Za-z_]\w*)?$/;
const WORD = /[A-Za-z_]\w*$/;
const FILTER = /\|\s*([A-Za-z_]\w*)?$/;
const DOCS: Record<string, string> = {
  input: 'what comes in',
  nodes: 'outputs of other nodes',
  params: "the flow's parameters",
  vars: "the flow's constants",
  execution: 'id, flow, started_at',
  now: 'the time',
  item: 'of the loop, or of each',
  index: 'number of the round, from 0',
};

/** `bare`: the whole text is an expression, braces or not. Null where nothing is to be offered. */
export function complete(text: string, caret: number, bare: boolean, reach: Reach, filters: readonly Word[]): Completion | null {
  const start = bare && !text.includes('{{') ? 0 : startOfExpression(text, caret);
  if (start === null) return null;
  const before = text.slice(start, caret);
  if (inString(before)) return null;
  const filter = FILTER.exec(before);
  if (filter) return offer(caret, filter[1] ?? '', filters.map(({ name, doc }) => ({ label: name, detail: doc })));
  const path = PATH.exec(before);
  if (path) return offer(caret, path[2] ?? '', members(path[1] ?? '', reach));
  const word = WORD.exec(before)?.[0] ?? '';
  const names = Object.keys(reach.names).map((name) => ({ label: name, detail: brief(name === 'nodes' ? undefined : reach.names[name]) || (DOCS[name] ?? '') }));
  return offer(caret, word, names);
}

function startOfExpression(text: string, caret: number): number | null {
  const found = pieces(text).find((piece) => piece.kind === 'expression' && caret >= piece.start + 2 && (caret <= piece.end - 2 || !piece.closed));
  return found ? found.start + 2 : null;
}

function inString(text: string): boolean {
  return /['"]/.test(text.replace(/'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"/g, ''));
}

function members(path: string, reach: Reach): Option[] {
  if (path === 'nodes') return reach.nodes.map((id) => ({ label: id, detail: brief(follow(`nodes.${id}`, reach.names)?.value) || 'has not run yet' }));
  const value = follow(path, reach.names)?.value;
  return keysOf(value).map((key) => ({ label: key, detail: brief(follow(`${path}['${key}']`, reach.names)?.value) }));
}

function offer(caret: number, typed: string, options: readonly Option[]): Completion | null {
  const wanted = typed.toLowerCase();
  const fitting = options.filter(({ label }) => label.toLowerCase().startsWith(wanted)).concat(options.filter(({ label }) => !label.toLowerCase().startsWith(wanted) && label.toLowerCase().includes(wanted)));
  return fitting.length && !(fitting.length === 1 && fitting[0]?.label === typed) ? { from: caret - typed.length, options: fitting.slice(0, 60) } : null;
}

/** The text with the option put in, and where the caret then stands. Keys that are no names become `['key']`. */
export function accept(text: string, caret: number, { from }: Completion, { label }: Option): { text: string; caret: number } {
  const isName = /^[A-Za-z_]\w*$/.test(label);
  const dot = text.slice(0, from).search(/\.\s*$/);
  const head = isName || dot < 0 ? text.slice(0, from) : text.slice(0, dot);
  const put = isName ? label : `['${label.replace(/'/g, "\\'")}']`;
  return { text: head + put + text.slice(caret), caret: head.length + put.length };
}

/** `input.name`, `nodes.fetch[0]['first name']`: the expression that reads a place in a value. */
export function pathText(root: string, steps: readonly (string | number)[]): string {
  return steps.reduce<string>((text, step) => text + (typeof step === 'number' ? `[${step}]` : /^[A-Za-z_]\w*$/.test(step) ? `.${step}` : `['${step}']`), root);
}
