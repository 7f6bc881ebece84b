/** Where expressions stand in a text, and which nodes they name. The rules are those of core/template.py. */

import { isObject, type Json, type JsonObject } from './json';

const TOKEN = /'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|[{}]/gs;

export interface Piece {
  kind: 'text' | 'expression';
  text: string; // of an expression: what stands between the braces
  start: number; // in the whole text, braces included
  end: number;
  closed: boolean;
}

/** Literal texts and expressions in order; together they are the whole text. */
export function pieces(text: string): Piece[] {
  const found: Piece[] = [];
  let done = 0;
  for (let start = text.indexOf('{{'); start >= 0; start = text.indexOf('{{', done)) {
    if (start > done) found.push({ kind: 'text', text: text.slice(done, start), start: done, end: start, closed: true });
    const close = endOfExpression(text, start + 2);
    const end = close < 0 ? text.length : close + 2;
    found.push({ kind: 'expression', text: text.slice(start + 2, close < 0 ? text.length : close), start, end, closed: close >= 0 });
    done = end;
    if (close < 0) break;
  }
  if (done < text.length) found.push({ kind: 'text', text: text.slice(done), start: done, end: text.length, closed: true });
  return found;
}

/** Position of the `}}` that closes: not one in a string, nor the end of two objects. -1 when there is none. */
function endOfExpression(text: string, start: number): number {
  TOKEN.lastIndex = start;
  let depth = 0;
  for (let token = TOKEN.exec(text); token; token = TOKEN.exec(text)) {
    if (token[0] === '{') depth += 1;
    else if (token[0] === '}') {
      if (depth <= 0 && text.startsWith('}}', token.index)) return token.index;
      depth -= 1;
    }
  }
  return -1;
}

export function hasExpression(value: Json | undefined): boolean {
  return typeof value === 'string' && value.includes('{{');
}

/** Which fields of a type's config are expressions without braces too, and which are none at all. */
export interface ExpressionFields {
  lazy: readonly string[];
  verbatim: readonly string[];
}

export const NO_FIELDS: ExpressionFields = { lazy: [], verbatim: [] };

const STRING = /'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"/s;
const REFERENCE = new RegExp(`${STRING.source}|(?<![\\w.])nodes\\s*(?:\\.\\s*([A-Za-z_]\\w*)|\\[\\s*(?:'([^']*)'|"([^"]*)")\\s*\\])`, 'gs');

/** The expression with the node's references renamed; strings that merely look alike stay. */
export function renameInExpression(expression: string, from: string, to: string): string {
  return expression.replace(REFERENCE, (whole: string, dotted?: string, single?: string, double?: string) => {
    if ((dotted ?? single ?? double) !== from) return whole;
    const at = whole.lastIndexOf(from);
    return whole.slice(0, at) + to + whole.slice(at + from.length);
  });
}

export function referencesIn(expression: string): string[] {
  return [...expression.matchAll(REFERENCE)].map((match) => match[1] ?? match[2] ?? match[3]).filter((id): id is string => id !== undefined);
}

/** Every text of the config with `change` done to the expressions in it. The same object when nothing changed. */
export function mapExpressions(config: JsonObject, fields: ExpressionFields, change: (expression: string) => string): JsonObject {
  return mapObject(config, (value, key) => (fields.verbatim.includes(key) ? value : mapValue(value, fields.lazy.includes(key), change)));
}

function mapValue(value: Json, lazy: boolean, change: (expression: string) => string): Json {
  if (typeof value === 'string') {
    if (!value.includes('{{')) return lazy ? change(value) : value;
    return pieces(value)
      .map((piece) => (piece.kind === 'text' ? piece.text : `{{${change(piece.text)}${piece.closed ? '}}' : ''}`))
      .join('');
  }
  if (Array.isArray(value)) {
    const items = value.map((item) => mapValue(item, lazy, change));
    return items.some((item, place) => item !== value[place]) ? items : value;
  }
  return isObject(value) ? mapObject(value, (item) => mapValue(item, lazy, change)) : value;
}

function mapObject(object: JsonObject, change: (value: Json, key: string) => Json): JsonObject {
  let copy: JsonObject | null = null;
  for (const [key, value] of Object.entries(object)) {
    const changed = change(value, key);
    if (changed !== value) copy = { ...(copy ?? object), [key]: changed };
  }
  return copy ?? object;
}

/** Ids of the nodes that the config's expressions name. */
export function nodeReferences(config: JsonObject, fields: ExpressionFields = NO_FIELDS): Set<string> {
  const found = new Set<string>();
  mapExpressions(config, fields, (expression) => {
    for (const id of referencesIn(expression)) found.add(id);
    return expression;
  });
  return found;
}
