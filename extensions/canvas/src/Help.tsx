import { useEffect, useRef } from 'react';
import { Button } from './Button';
import { useCanvas } from './context';
import { keyLabel, SECTIONS } from './keys';
import { keepFocus } from './NodeWide';
import { useStore } from './store';

/** All keys, from the list that the canvas obeys. */
export function Help(): React.JSX.Element | null {
  const { view, actions } = useCanvas();
  const shown = useStore(view.help);
  const root = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (shown) root.current?.focus();
  }, [shown]);
  if (!shown) return null;
  const mac = typeof navigator !== 'undefined' && /Mac|iP(hone|ad)/.test(navigator.platform);
  const close = (): void => {
    view.help.set(false);
    actions.stage.focus();
  };
  return (
    <div className="nbf-veil" onPointerDown={(event) => event.target === event.currentTarget && close()}>
      <div ref={root} className="nbf-help" role="dialog" aria-modal="true" aria-label="Keys" tabIndex={-1} onKeyDown={(event) => keepFocus(event, root.current)}>
        <header className="nbf-panel-head">
          <strong className="nbf-grow">Keys</strong>
          <Button small sign="close" label="Close" action="close" onClick={close} />
        </header>
        <div className="nbf-help-columns">
          {SECTIONS.map(({ title, bindings }) => (
            <section key={title} className="nbf-help-section" aria-label={title}>
              <h4 className="nbf-column-title">{title}</h4>
              {bindings.map(({ keys, title: what, action }) => (
                <div key={action} className="nbf-help-row">
                  <span className="nbf-help-keys">
                    {keys.map((key) => (
                      <kbd key={key} className="nbf-key">{keyLabel(key, mac)}</kbd>
                    ))}
                  </span>
                  <span>{what}</span>
                </div>
              ))}
            </section>
          ))}
          <section className="nbf-help-section" aria-label="Mouse">
            <h4 className="nbf-column-title">Mouse</h4>
            {MOUSE.map(([how, what]) => (
              <div key={how} className="nbf-help-row">
                <span className="nbf-help-keys"><kbd className="nbf-key">{how}</kbd></span>
                <span>{what}</span>
              </div>
            ))}
          </section>
        </div>
      </div>
    </div>
  );
}

const MOUSE = [
  ['Double-click', 'On a node: open it. On the ground: add a node there'],
  ['Shift drag', 'Select several'],
  ['Shift click', 'Add to the selection, or take from it'],
  ['Drag a port', 'To another port, a node, or the ground: what comes next'],
  ['Ctrl wheel', 'Zoom'],
] as const;
