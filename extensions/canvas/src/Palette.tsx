import { useMemo, useState } from 'react';
import type { NodeType } from './catalogue';
import { useCanvas } from './context';
import { DRAGGED_TYPE } from './dragging';
import { Sign, TypeIcon } from './Icon';
import { grouped, search } from './search';
import { useStore } from './store';

/** All node types, by group: a click adds one, or it is dragged to its place. */
export function Palette(): React.JSX.Element | null {
  const { host, view, actions } = useCanvas();
  const catalogue = useStore(host.catalogue);
  const { readonly } = useStore(host.options);
  const shown = useStore(view.palette);
  const [text, setText] = useState('');
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const groups = useMemo(() => grouped(catalogue.groups, search(catalogue.types, text)), [catalogue, text]);
  if (!shown || readonly) return null;
  const fold = (name: string): void =>
    setClosed((before) => {
      const next = new Set(before);
      if (!next.delete(name)) next.add(name);
      return next;
    });
  const onKeyDown = (event: React.KeyboardEvent<HTMLElement>): void => {
    if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
    event.preventDefault();
    const stops = [...event.currentTarget.querySelectorAll<HTMLElement>('input, .nbf-palette-group, .nbf-palette-type')];
    const root = event.currentTarget.getRootNode() as Document | ShadowRoot;
    const at = stops.indexOf(root.activeElement as HTMLElement);
    stops[Math.min(Math.max(at + (event.key === 'ArrowDown' ? 1 : -1), 0), stops.length - 1)]?.focus();
  };
  return (
    <nav className="nbf-palette" aria-label="Node types" onKeyDown={onKeyDown}>
      <div className="nbf-search">
        <Sign name="search" size={14} />
        <input
          className="nbf-input nbf-search-input"
          type="search"
          value={text}
          placeholder="Find a node"
          aria-label="Find a node type"
          onChange={(event) => setText(event.target.value)}
          onKeyDown={(event) => {
            const first = groups[0]?.types[0];
            if (event.key === 'Enter' && text && first) {
              event.preventDefault();
              actions.add(first.type);
              actions.stage.focus();
            } else if (event.key === 'Escape' && text) {
              event.preventDefault();
              setText('');
            }
          }}
        />
      </div>
      <div className="nbf-palette-list">
        {groups.map(({ name, title, types }) => {
          const open = text !== '' || !closed.has(name);
          return (
            <section key={name} aria-label={title}>
              <button type="button" className="nbf-palette-group" tabIndex={-1} aria-expanded={open} onClick={() => fold(name)}>
                <Sign name={open ? 'down' : 'right'} size={12} />
                {title}
              </button>
              {open ? types.map((type) => <PaletteType key={type.type} type={type} onAdd={() => actions.add(type.type)} />) : null}
            </section>
          );
        })}
        {groups.length ? null : <p className="nbf-about nbf-pad">{catalogue.types.length ? `No node type is called “${text}”.` : 'The list of node types has not come yet.'}</p>}
      </div>
    </nav>
  );
}

function PaletteType({ type, onAdd }: { type: NodeType; onAdd: () => void }): React.JSX.Element {
  return (
    <button
      type="button"
      tabIndex={-1} // reached by arrows from the search: the drawing is one Tab away
      className={`nbf-palette-type${type.missing ? ' nbf-missing' : ''}`}
      title={type.missing ? `${type.summary}\n${type.missing}` : type.summary}
      data-type={type.type}
      draggable
      onDragStart={(event) => {
        event.dataTransfer.setData(DRAGGED_TYPE, type.type);
        event.dataTransfer.effectAllowed = 'copy';
      }}
      onClick={onAdd}
    >
      <TypeIcon type={type.type} size={22} />
      <span className="nbf-palette-title">{type.title}</span>
    </button>
  );
}
