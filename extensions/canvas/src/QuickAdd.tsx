import { useEffect, useId, useMemo, useRef, useState } from 'react';
import { useCanvas } from './context';
import { TypeIcon } from './Icon';
import { search } from './search';
import { useStore } from './store';
import type { Adding } from './view';

const WIDTH = 300;
const HEIGHT = 300;

/** "What comes next": the list of types where the node will be. */
export function QuickAdd(): React.JSX.Element | null {
  const { view } = useCanvas();
  const adding = useStore(view.adding);
  return adding ? <TypeList key={`${adding.screen[0]},${adding.screen[1]}`} adding={adding} /> : null;
}

function TypeList({ adding }: { adding: Adding }): React.JSX.Element {
  const { host, view, actions } = useCanvas();
  const catalogue = useStore(host.catalogue);
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const root = useRef<HTMLDivElement>(null);
  const input = useRef<HTMLInputElement>(null);
  const list = useId();
  const { from, edge } = adding;
  const types = useMemo(() => {
    // a trigger follows nothing
    return search(from?.way === 'out' || edge !== null ? catalogue.types.filter((type) => !type.trigger) : catalogue.types, text);
  }, [catalogue, text, from, edge]);
  useEffect(() => void input.current?.focus({ preventScroll: true }), []);
  useEffect(() => void root.current?.querySelector('[aria-selected=true]')?.scrollIntoView?.({ block: 'nearest' }), [at]); // a promise in new browsers
  const place = usePlace(root, adding);
  const close = (): void => {
    view.adding.set(null);
    actions.stage.focus();
  };
  const take = (type: string | undefined): void => {
    if (type === undefined) return;
    actions.add(type, { at: adding.at, from, edge, parent: adding.parent });
    actions.stage.focus();
  };
  const title = from ? (from.way === 'out' ? `What comes after ${from.node}${from.port === 'output' ? '' : ` (${from.port})`}?` : `What comes before ${from.node}?`) : edge !== null ? 'What comes between?' : 'Add a node';
  return (
    <div
      ref={root}
      className="nbf-quick"
      style={place}
      role="dialog"
      aria-label={title}
      onKeyDown={(event) => {
        const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
        if (step) setAt((before) => (before + step + types.length) % Math.max(1, types.length));
        else if (event.key === 'Enter') take(types[at]?.type);
        else if (event.key === 'Escape') close();
        else if (event.key !== 'Tab') return;
        event.preventDefault();
      }}
      onBlur={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget)) view.adding.set(null);
      }}
    >
      <div className="nbf-quick-title">{title}</div>
      <input
        ref={input}
        className="nbf-input"
        value={text}
        placeholder="Type to search"
        role="combobox"
        aria-label={title}
        aria-expanded
        aria-controls={list}
        aria-activedescendant={types[at] ? `${list}-${types[at].type}` : undefined}
        onChange={(event) => {
          setText(event.target.value);
          setAt(0);
        }}
      />
      <div id={list} className="nbf-quick-list" role="listbox" aria-label="Node types">
        {types.map((type, number) => (
          <div
            key={type.type}
            id={`${list}-${type.type}`}
            className="nbf-quick-type"
            role="option"
            aria-selected={number === at}
            // before the blur that a click would bring
            onPointerDown={(event) => {
              event.preventDefault();
              take(type.type);
            }}
            onPointerMove={() => setAt(number)}
          >
            <TypeIcon type={type.type} size={24} />
            <span className="nbf-grow">
              <span className="nbf-quick-name">{type.title}</span>
              <span className="nbf-quick-summary">{type.summary}</span>
            </span>
          </div>
        ))}
        {types.length ? null : <p className="nbf-about nbf-pad">Nothing is called “{text}”.</p>}
      </div>
    </div>
  );
}

/** Where it was asked, kept inside the canvas. */
function usePlace(root: React.RefObject<HTMLDivElement>, { screen, from }: Adding): React.CSSProperties {
  const [place, setPlace] = useState<React.CSSProperties>({ left: screen[0], top: screen[1], opacity: 0 });
  useEffect(() => {
    const around = root.current?.parentElement?.getBoundingClientRect();
    if (!around) return;
    const height = Math.min(HEIGHT, around.height - 16);
    const wanted = from?.way === 'in' ? screen[0] - 60 : screen[0];
    setPlace({
      left: Math.max(8, Math.min(wanted, around.width - WIDTH - 8)),
      top: Math.max(8, Math.min(screen[1], around.height - height - 8)),
      maxHeight: height,
    });
  }, [root, screen, from]);
  return place;
}
