import { groupColour, iconPath, STATUS_COLOURS, STATUS_MARKS } from './look';
import type { StatusWord } from './statuses';

/** The sign of a node type on its group's colour. */
export function TypeIcon({ type, size = 30 }: { type: string; size?: number }): React.JSX.Element {
  return (
    <span className="nbf-icon" style={{ width: size, height: size, background: groupColour(type), borderRadius: size * 0.27 }} aria-hidden="true">
      <svg width={size * 0.56} height={size * 0.56} viewBox="0 0 16 16" fill="none" stroke="#fff" strokeWidth="1.5" strokeLinejoin="round" strokeLinecap="round">
        <path d={iconPath(type)} />
      </svg>
    </span>
  );
}

export function StatusMark({ status, size = 15 }: { status: StatusWord; size?: number }): React.JSX.Element {
  return (
    <svg className={`nbf-mark nbf-mark-${status}`} width={size} height={size} viewBox="-8 -8 16 16" aria-hidden="true">
      <circle r="7.5" fill={STATUS_COLOURS[status]} />
      {status === 'running' ? <circle className="nbf-spin" r="4.2" fill="none" stroke="#fff" strokeWidth="1.7" strokeDasharray="17 10" strokeLinecap="round" /> : null}
      {status !== 'running' ? <path d={STATUS_MARKS[status]} fill="none" stroke="#fff" strokeWidth="1.7" strokeLinecap="round" strokeLinejoin="round" /> : null}
    </svg>
  );
}

const SIGNS = {
  undo: 'M6 3 2.5 6.5 6 10M2.5 6.5h7a4 4 0 0 1 0 8H7',
  redo: 'M10 3l3.5 3.5L10 10M13.5 6.5h-7a4 4 0 0 0 0 8H9',
  plus: 'M8 3v10M3 8h10',
  minus: 'M3 8h10',
  close: 'M4 4l8 8M12 4l-8 8',
  play: 'M4.5 2.8v10.4L13 8z',
  playTo: 'M3 3v10l7-5zM13 3v10',
  stop: 'M4 4h8v8H4z',
  fit: 'M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10',
  layout: 'M2 3.5h4v3H2zM10 2h4v3h-4zM10 11h4v3h-4zM6 5h2v7.5h2M8 3.5h2',
  note: 'M3 2.5h10v7l-4 4H3zM13 9.5H9v4',
  list: 'M2.5 3.5h2v2h-2zM2.5 10.5h2v2h-2zM7 4.5h6.5M7 11.5h6.5',
  help: 'M5.8 6a2.2 2.2 0 1 1 3.3 1.9c-.8.5-1.1.9-1.1 1.8M8 12.2v.1',
  warn: 'M8 2.2 14.3 13.3H1.7zM8 6.5v3.3M8 11.5v.1',
  pin: 'M9.8 2 14 6.2l-3 .8-2.2 2.2-.4 3.3L3.5 7.6l3.3-.4L9 5zM5.8 10.2 2.5 13.5',
  disable: 'M8 2v5.5M4.6 4.3a5 5 0 1 0 6.8 0',
  trash: 'M3 4.5h10M6.5 4.5V2.8h3v1.7M4.3 4.5l.6 9h6.2l.6-9',
  wide: 'M9.5 2.5h4v4M13.5 2.5 9 7M6.5 13.5h-4v-4M2.5 13.5 7 9',
  search: 'M7 2.5a4.5 4.5 0 1 0 .01 0zM10.3 10.3l3.2 3.2',
  down: 'M4 6l4 4 4-4',
  right: 'M6 4l4 4-4 4',
  copy: 'M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3',
  expression: 'M10.5 3c-2-.8-2.7.5-3 2.5L6.3 11c-.4 2-1.1 2.9-2.8 2.3M4.5 6.5h5M10 9.5l3.5 4M13.5 9.5l-3.5 4',
  save: 'M3 3h8l2 2v8H3zM5.5 3v3.5h4V3M5.5 13V9.5h5V13',
  up: 'M4 10l4-4 4 4',
  panel: 'M2.5 3h11v10h-11zM9.5 3v10',
  left: 'M10 4 6 8l4 4',
  code: 'M5.5 4.5 2 8l3.5 3.5M10.5 4.5 14 8l-3.5 3.5',
} as const;

export type SignName = keyof typeof SIGNS;

export function Sign({ name, size = 16 }: { name: SignName; size?: number }): React.JSX.Element {
  const filled = name === 'play' || name === 'stop';
  return (
    <svg className="nbf-sign" width={size} height={size} viewBox="0 0 16 16" aria-hidden="true" fill={filled ? 'currentColor' : 'none'} stroke="currentColor" strokeWidth="1.4" strokeLinejoin="round" strokeLinecap="round">
      <path d={SIGNS[name]} />
    </svg>
  );
}
