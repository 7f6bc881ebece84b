import { useState } from 'react';
import { useCanvas } from './context';
import { pathText } from './completion';
import { isObject, type Json } from './json';
import { plainKey } from './values';

interface Props {
  value: Json;
  name: string;
  root: string | null;
}

const OPEN_DEPTH = 2;

/** A value as a tree that folds. A key, dragged into a field or clicked, gives the expression that reads that place. */
export function JsonTree({ value, name, root }: Props): React.JSX.Element {
  return (
    <div className="nbf-json" role="group" aria-label={`${name}, JSON`} tabIndex={0}>
      <Branch value={value} path={[]} root={root} label={null} depth={0} />
    </div>
  );
}

interface BranchProps {
  value: Json;
  path: readonly (string | number)[];
  root: string | null;
  label: string | number | null;
  depth: number;
}

function Branch({ value, path, root, label, depth }: BranchProps): React.JSX.Element {
  const [open, setOpen] = useState(depth < OPEN_DEPTH);
  const entries: [string | number, Json][] | null = Array.isArray(value) ? value.map((item, place) => [place, item]) : isObject(value) ? Object.entries(value) : null;
  const head = label === null ? null : <Key label={label} path={path} root={root} />;
  if (!entries?.length) {
    return (
      <div className="nbf-json-line">
        {head}
        <Leaf value={value} />
      </div>
    );
  }
  const [begin, end] = Array.isArray(value) ? ['[', ']'] : ['{', '}'];
  return (
    <div>
      <div className="nbf-json-line">
        <button type="button" className="nbf-json-fold" aria-expanded={open} aria-label={`${label ?? 'value'}: ${entries.length} parts`} onClick={() => setOpen(!open)}>
          {open ? '▾' : '▸'}
        </button>
        {head}
        <span className="nbf-json-sign">{open ? begin : `${begin} ${entries.length} ${end}`}</span>
      </div>
      {open ? (
        <div className="nbf-json-body">
          {entries.map(([key, part]) =>
            isMore(key, part) ? (
              <div key={key} className="nbf-json-line nbf-json-more">… {moreOf(part)} more</div>
            ) : (
              <Branch key={key} value={part} path={[...path, typeof key === 'string' ? plainKey(key) : key]} root={root} label={typeof key === 'string' ? plainKey(key) : key} depth={depth + 1} />
            ),
          )}
        </div>
      ) : null}
      {open ? <div className="nbf-json-sign nbf-json-end">{end}</div> : null}
    </div>
  );
}

/** What core/values.py left out: `{"$more": 12}` at a list's end, `"$more": 12` in an object. */
function isMore(key: string | number, part: Json): boolean {
  return key === '$more' || (isObject(part) && typeof part['$more'] === 'number' && Object.keys(part).length === 1);
}

function moreOf(part: Json): number {
  return typeof part === 'number' ? part : isObject(part) ? Number(part['$more']) : 0;
}

function Key({ label, path, root }: { label: string | number; path: readonly (string | number)[]; root: string | null }): React.JSX.Element {
  const { view } = useCanvas();
  if (root === null) return <span className="nbf-json-key">{label}: </span>;
  const text = `{{ ${pathText(root, path)} }}`;
  return (
    <button
      type="button"
      tabIndex={-1}
      className="nbf-json-key nbf-json-path"
      draggable
      title={`Drag into a field, or click to copy: ${text}`}
      onDragStart={(event) => event.dataTransfer.setData('text/plain', text)}
      onClick={() => {
        void navigator.clipboard?.writeText(text).catch(() => undefined);
        view.tell(`Copied ${text}`);
      }}
    >
      {label}:
    </button>
  );
}

function Leaf({ value }: { value: Json }): React.JSX.Element {
  if (typeof value === 'string') return <span className="nbf-json-text">"{value}"</span>;
  if (value !== null && typeof value === 'object') return <span className="nbf-json-sign">{Array.isArray(value) ? '[ ]' : '{ }'}</span>;
  return <span className={value === null ? 'nbf-json-null' : 'nbf-json-number'}>{String(value)}</span>;
}
