import { useRef, useState } from 'react';
import { pathText } from './completion';
import { useCanvas } from './context';
import type { Value } from './host';
import { JsonTree } from './JsonTree';
import { asText, isObject, type Json } from './json';
import { brief } from './reach';
import { useTheme } from './theme';
import { framed, imageOf, otherTypes, tableOf, textOf, WAY_TITLES, waysOf, type Table, type Way } from './values';
import { useStore } from './store';

interface Props {
  value: Value;
  name: string; // of the port, for people
  /** The expression that reads this value where the person writes one; null when there is none. */
  root: string | null;
}

/** A value, in the ways that it can be shown. */
export function ValueView({ value, name, root }: Props): React.JSX.Element {
  const ways = waysOf(value);
  const [wanted, setWanted] = useState<Way | null>(null);
  const way = wanted && ways.includes(wanted) ? wanted : ways[0];
  if (!way) return <p className="nbf-about">No value was kept.</p>;
  return (
    <div className="nbf-value">
      <div className="nbf-value-head">
        <span className="nbf-value-brief">{brief(value.preview)}</span>
        {ways.length > 1 ? (
          <span className="nbf-segments nbf-segments-small" role="tablist" aria-label={`${name}: ways to show it`}>
            {ways.map((one) => (
              <button key={one} type="button" role="tab" className="nbf-segment" aria-selected={one === way} onClick={() => setWanted(one)}>
                {WAY_TITLES[one]}
              </button>
            ))}
          </span>
        ) : null}
      </div>
      <Shown way={way} value={value} name={name} root={root} />
    </div>
  );
}

function Shown({ way, value, name, root }: Props & { way: Way }): React.JSX.Element {
  switch (way) {
    case 'image': return <img className="nbf-picture" src={imageOf(value.bundle) ?? ''} alt={textOf(value.bundle) ?? name} />;
    case 'html': return <RichFrame html={asText(value.bundle?.['text/html'])} name={name} />;
    case 'text': return <pre className="nbf-pre" tabIndex={0}>{textOf(value.bundle)}</pre>;
    case 'table': return <TableView table={tableOf(value.preview) ?? EMPTY} name={name} root={root} />;
    case 'json': return (
      <>
        <JsonTree value={value.preview ?? null} root={root} name={name} />
        {otherTypes(value.bundle).map((type) => (
          <details key={type} className="nbf-more">
            <summary className="nbf-summary">{type}</summary>
            <JsonTree value={(value.bundle?.[type] ?? null) as Json} root={null} name={type} />
          </details>
        ))}
      </>
    );
  }
}

const EMPTY: Table = { columns: [], types: {}, rows: [], total: 0, width: 0 };

function RichFrame({ html, name }: { html: string; name: string }): React.JSX.Element {
  const { host } = useCanvas();
  const frame = useRef<HTMLIFrameElement>(null);
  const theme = useTheme(useStore(host.options).theme, frame);
  // without allow-same-origin the frame has an origin of its own: it sees nothing of this page
  return <iframe ref={frame} className="nbf-frame" sandbox="allow-scripts" srcDoc={framed(html, theme)} title={`${name}, rich`} />;
}

function TableView({ table, name, root }: { table: Table; name: string; root: string | null }): React.JSX.Element {
  const isFrame = Object.keys(table.types).length > 0;
  const shown = table.rows.length < table.total || table.columns.length < table.width;
  return (
    <div>
      <div className="nbf-table-scroll" tabIndex={0} role="group" aria-label={`${name}, table`}>
        <table className="nbf-table">
          <thead>
            <tr>
              <th className="nbf-th nbf-row-number" scope="col" aria-label="Row" />
              {table.columns.map((column) => (
                <th key={column} className="nbf-th" scope="col" draggable={root !== null} onDragStart={(event) => event.dataTransfer.setData('text/plain', `{{ ${pathText(root ?? '', isFrame ? [column] : [0, column])} }}`)}>
                  {column}
                  {table.types[column] ? <span className="nbf-dtype">{table.types[column]}</span> : null}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {table.rows.map((row, place) => (
              // rows have no identity but their place
              <tr key={place}>
                <td className="nbf-td nbf-row-number">{place}</td>
                {row.map((cell, column) => (
                  <td key={table.columns[column]} className={`nbf-td${typeof cell === 'number' ? ' nbf-td-number' : ''}${cell === null || cell === undefined ? ' nbf-td-none' : ''}`} title={cellText(cell)}>
                    {cellText(cell)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {shown ? <p className="nbf-about">{`${table.rows.length} of ${table.total.toLocaleString('en-US')} rows, ${table.columns.length} of ${table.width} columns`}</p> : null}
    </div>
  );
}

function cellText(cell: Json | undefined): string {
  if (cell === null || cell === undefined) return '–';
  if (isObject(cell) && typeof cell['text'] === 'string' && cell['$type'] === 'str') return `${cell['text']}…`;
  return asText(cell);
}
