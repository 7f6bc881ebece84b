/** Symbols, colours and words of what is shown: those of display/look.py and display/graph.py, so that the canvas and the static picture are siblings. */

import type { StatusWord } from './statuses';

export const STATUS_COLOURS: Record<StatusWord, string> = {
  pending: '#8b93a1',
  running: '#2f81f7',
  waiting: '#8a63d2',
  completed: '#2da44e',
  failed: '#e5484d',
  cancelled: '#d9822b',
  skipped: '#8b93a1',
};

/** Paths inside a disc of radius 7.5 around 0,0. */
export const STATUS_MARKS: Record<StatusWord, string> = {
  pending: '',
  running: 'M-1.6-3 3 0-1.6 3z',
  waiting: 'M0-3V.4L2.2 2',
  completed: 'M-3.2 .2-1 2.6 3.4-2.4',
  failed: 'M-2.6-2.6 2.6 2.6M2.6-2.6-2.6 2.6',
  cancelled: 'M-3 0H3',
  skipped: 'M-3.4-2.4-.8 0-3.4 2.4M.6-2.4 3.2 0 .6 2.4',
};

const GROUP_COLOURS: Record<string, string> = {
  trigger: '#e07a1f',
  action: '#2f6fdb',
  ai: '#8957e5',
  logic: '#1a9c94',
  data: '#3b8f4a',
  communication: '#d1477f',
  integration: '#5b6bd6',
  flow: '#64748b',
  python: '#3776ab',
};

/** In a square of 16, drawn with a line. By type where a group's sign says too little, else by group. */
const ICONS: Record<string, string> = {
  trigger: 'M9 1.5 3.5 9H8l-1 5.5L12.5 7H8z',
  'trigger.manual': 'M5 2.5v8.2l2-1.9 1.6 4 1.9-.8L8.9 8.2h2.8z',
  'trigger.schedule': 'M8 2a6 6 0 1 0 .01 0zM8 4.8V8l2.4 1.6',
  'trigger.webhook': 'M5.2 8a2.6 2.6 0 1 1 3.6-2.4L10.4 9M9 5.6 6.2 11M6 11.4a2.4 2.4 0 1 1-3.2-2.2M6.2 11.4h4.6a2.4 2.4 0 1 0-.6-1.8',
  action: 'M4 2.5v11l9-5.5z',
  'action.http': 'M8 2a6 6 0 1 0 .01 0zM2 8h12M8 2c3.4 3.6 3.4 8.4 0 12M8 2c-3.4 3.6-3.4 8.4 0 12',
  'action.code.python': 'M5.5 4.5 2 8l3.5 3.5M10.5 4.5 14 8l-3.5 3.5M9 3 7 13',
  'action.transform': 'M2.5 5h8.5M8.5 2.5 11 5 8.5 7.5M13.5 11H5M7.5 8.5 5 11l2.5 2.5',
  ai: 'M8 1.5 9.6 6.4 14.5 8 9.6 9.6 8 14.5 6.4 9.6 1.5 8 6.4 6.4z',
  logic: 'M2 8h4l4-4.5h4M6 8l4 4.5h4',
  'logic.merge': 'M14 8h-4L6 3.5H2M10 8l-4 4.5H2',
  'logic.wait': 'M4.5 2h7M4.5 14h7M5.5 2c0 4 5 4.5 5 6s-5 2-5 6M10.5 2c0 4-5 4.5-5 6s5 2 5 6',
  'logic.loop': 'M12.8 6A5.2 5.2 0 0 0 3.3 5.5M3.2 10a5.2 5.2 0 0 0 9.5.5M13.2 2.8V6H10M2.8 13.2V10H6',
  data: 'M2.5 3.5h11v9h-11zM2.5 7h11M6.5 3.5v9',
  'data.file': 'M4 1.8h5.5L12.5 5v9.2H4zM9.2 1.8V5.2h3.3',
  'data.json': 'M6 2.5c-2.5 0-1 4.5-3.2 5.5C5 9 3.5 13.5 6 13.5M10 2.5c2.5 0 1 4.5 3.2 5.5-2.2 1-.7 5.5-3.2 5.5',
  communication: 'M2 3.5h12v9H2zM2 4l6 5 6-5',
  integration: 'M5.5 2v4M10.5 2v4M3.5 6h9v2.5a4.5 4.5 0 0 1-9 0zM8 13v2',
  flow: 'M2.5 5.5 6 2.5v2c4 0 7 2 7.5 8-1.5-3-4-4-7.5-4v2z',
  python: 'M5.5 4 2 8l3.5 4M10.5 4 14 8l-3.5 4',
};
const OTHER = 'M3 3h10v10H3z';

export function groupColour(type: string): string {
  return GROUP_COLOURS[type.split('.')[0] ?? ''] ?? '#64748b';
}

export function iconPath(type: string): string {
  for (let name = type; name; name = name.includes('.') ? name.slice(0, name.lastIndexOf('.')) : '') {
    const path = ICONS[name];
    if (path) return path;
  }
  return OTHER;
}

/** `1,234` */
export function count(number: number): string {
  return number.toLocaleString('en-US');
}
