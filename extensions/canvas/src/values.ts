/** How a value can be shown: which ways there are, and its rows when it is a table. */

import type { Value } from './host';
import { isObject, type Json } from './json';
import { isFrame } from './reach';

export type Way = 'table' | 'json' | 'image' | 'html' | 'text';

export const WAY_TITLES: Record<Way, string> = { table: 'Table', json: 'JSON', image: 'Image', html: 'Rich', text: 'Text' };

/** The best first. */
export function waysOf({ preview, bundle }: Value): Way[] {
  const ways: Way[] = [];
  if (imageOf(bundle)) ways.push('image');
  if (typeof bundle?.['text/html'] === 'string') ways.push('html');
  if (tableOf(preview)) ways.push('table');
  if (bundle && typeof bundle['text/html'] !== 'string' && textOf(bundle) !== null) ways.push('text');
  if (preview !== undefined) ways.push('json');
  // a frame's own HTML says less than the table here
  if (isFrame(preview) && ways[0] === 'html') ways.splice(0, 2, 'table', 'html');
  return ways;
}

const IMAGES = ['image/svg+xml', 'image/png', 'image/jpeg', 'image/gif', 'image/webp'];

/** As a data: URL, which is no request and runs no script, even for SVG. */
export function imageOf(bundle: Value['bundle']): string | null {
  for (const type of IMAGES) {
    const data = bundle?.[type];
    const text = Array.isArray(data) ? data.join('') : data;
    if (typeof text !== 'string' || !text) continue;
    return type === 'image/svg+xml' && text.trimStart().startsWith('<') ? `data:${type};charset=utf-8,${encodeURIComponent(text)}` : `data:${type};base64,${text.replace(/\s/g, '')}`;
  }
  return null;
}

const TEXTS = ['text/markdown', 'text/latex', 'text/plain'];

export function textOf(bundle: Value['bundle']): string | null {
  for (const type of TEXTS) {
    const data = bundle?.[type];
    if (typeof data === 'string') return data;
    if (Array.isArray(data)) return data.join('');
  }
  return null;
}

/** Other types of the bundle (`application/vnd…+json`): shown as JSON, by name. */
export function otherTypes(bundle: Value['bundle']): string[] {
  return Object.keys(bundle ?? {}).filter((type) => type !== 'text/html' && !IMAGES.includes(type) && !TEXTS.includes(type));
}

export interface Table {
  columns: readonly string[];
  types: Readonly<Record<string, string>>;
  rows: readonly (readonly (Json | undefined)[])[];
  total: number; // rows of the whole value, of which these are the first
  width: number; // columns of the whole value
}

/** A frame's head, or a list whose items are all records. */
export function tableOf(preview: Json | undefined): Table | null {
  if (isFrame(preview)) {
    const columns = Object.keys(preview.dtypes).filter((key) => key !== '$more');
    const names = columns.map(plainKey);
    return {
      columns: names,
      types: Object.fromEntries(columns.map((column) => [plainKey(column), String(preview.dtypes[column])])),
      rows: preview.head.filter(isRow).map((row) => columns.map((column) => row[column])),
      total: preview.shape[0],
      width: preview.shape[1],
    };
  }
  if (!Array.isArray(preview)) return null;
  const last = preview.at(-1);
  const more = isObject(last) && typeof last['$more'] === 'number' && Object.keys(last).length === 1 ? last['$more'] : 0;
  const items = more ? preview.slice(0, -1) : preview;
  if (!items.length || !items.every((item) => isObject(item) && !('$type' in item))) return null;
  const rows = items.filter(isRow);
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))].filter((key) => key !== '$more');
  return { columns: columns.map(plainKey), types: {}, rows: rows.map((row) => columns.map((column) => row[column])), total: items.length + more, width: columns.length };
}

function isRow(item: Json): item is { [key: string]: Json } {
  return isObject(item) && !('$more' in item && Object.keys(item).length === 1);
}

/** A user's own key that begins with $ has a second one in a preview. */
export function plainKey(key: string): string {
  return key.startsWith('$$') ? key.slice(1) : key;
}

/** A page for a sandboxed frame: scripts inside may draw, and reach neither the network nor this page. */
export function framed(html: string, theme: 'light' | 'dark'): string {
  const policy = "default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; font-src data:; script-src 'unsafe-inline'; media-src data:";
  const [colour, line, back] = theme === 'dark' ? ['#e6e8ec', '#3a3f47', '#1c1f24'] : ['#1f2328', '#d8dce2', '#ffffff'];
  const style = `html{color-scheme:${theme}}body{margin:8px;font:13px/1.5 system-ui,sans-serif;color:${colour};background:${back}}table{border-collapse:collapse}td,th{border:1px solid ${line};padding:3px 8px;text-align:right}img{max-width:100%}`;
  return `<!doctype html><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${policy}"><style>${style}</style>${html}`;
}
