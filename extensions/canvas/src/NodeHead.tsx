import { useEffect, useRef, useState } from 'react';
import { Button } from './Button';
import { titleOf, typeMap } from './catalogue';
import { useCanvas } from './context';
import type { FlowNode } from './document';
import { TypeIcon } from './Icon';
import { useStore } from './store';

/** A node's name, which is its id, and its type. The name is changed where it stands. */
export function NodeHead({ node, children }: { node: FlowNode; children: React.ReactNode }): React.JSX.Element {
  const { host, view, actions } = useCanvas();
  const catalogue = useStore(host.catalogue);
  const renaming = useStore(view.renaming) === node.id;
  return (
    <header className="nbf-panel-head">
      <TypeIcon type={node.type} size={28} />
      <div className="nbf-grow">
        {renaming && !actions.readonly ? (
          <Rename id={node.id} />
        ) : (
          <button type="button" className="nbf-node-name" title="Rename (F2)" aria-label={`Rename ${node.id}`} disabled={actions.readonly} onClick={() => view.renaming.set(node.id)}>
            {node.id}
          </button>
        )}
        <div className="nbf-node-type">{titleOf(typeMap(catalogue), node)}</div>
      </div>
      {children}
    </header>
  );
}

function Rename({ id }: { id: string }): React.JSX.Element {
  const { view, actions } = useCanvas();
  const [text, setText] = useState(id);
  const [wrong, setWrong] = useState<string | null>(null);
  const input = useRef<HTMLInputElement>(null);
  const ended = useRef(false);
  useEffect(() => {
    input.current?.focus();
    input.current?.select();
  }, []);
  const end = (keep: boolean): void => {
    if (ended.current) return;
    const why = keep ? actions.rename(id, text.trim()) : null;
    if (why) {
      setWrong(why);
      return;
    }
    ended.current = true;
    view.renaming.set(null);
    actions.stage.focus();
  };
  return (
    <>
      <input
        ref={input}
        className="nbf-input"
        value={text}
        aria-label={`New name of ${id}`}
        aria-invalid={wrong !== null}
        onChange={(event) => {
          setText(event.target.value);
          setWrong(null);
        }}
        onKeyDown={(event) => {
          if (event.key !== 'Enter' && event.key !== 'Escape') return;
          event.preventDefault();
          end(event.key === 'Enter');
        }}
        onBlur={() => end(wrong === null)}
      />
      {wrong ? <p className="nbf-problem" role="alert">{wrong}</p> : null}
    </>
  );
}

/** What can be done with the node, in words that fit a panel's head. */
export function NodeActions({ node }: { node: FlowNode }): React.JSX.Element {
  const { host, actions } = useCanvas();
  const pinned = node.id in useStore(host.pins);
  return (
    <>
      {actions.can('run_node') ? <Button small sign="play" label={`Run only ${node.id}`} action="runNode" onClick={() => actions.run('run_node', node.id)} /> : null}
      {actions.can('run_to') ? <Button small sign="playTo" label={`Run to ${node.id}`} action="runTo" onClick={() => actions.run('run_to', node.id)} /> : null}
      {actions.can('pin') ? <Button small sign="pin" label={pinned ? `Unpin the output of ${node.id}` : `Pin the output of ${node.id}`} action="pin" pressed={pinned} onClick={() => actions.pin(node.id)} /> : null}
    </>
  );
}
