import { useEffect, useRef } from 'react';
import { Button } from './Button';
import { useCanvas } from './context';
import { nodeOf } from './document';
import { ExecutionPicker } from './ExecutionPicker';
import { NodeData } from './NodeData';
import { NodeActions, NodeHead } from './NodeHead';
import { NodeTabs } from './NodePanel';
import { useStore } from './store';

/** The current node over the whole canvas: what comes in, its form, what goes out. */
export function NodeWide(): React.JSX.Element | null {
  const { editor, view, actions } = useCanvas();
  const flow = useStore(editor.flow);
  const node = nodeOf(flow, useStore(view.current));
  const root = useRef<HTMLDivElement>(null);
  const id = node?.id;
  useEffect(() => void root.current?.focus(), [id]);
  if (!node) return null;
  const [before] = flow.edges.filter((edge) => edge.target === node.id);
  const [after] = flow.edges.filter((edge) => edge.source === node.id);
  const close = (): void => {
    view.wide.set(false);
    actions.stage.focus();
  };
  return (
    <div ref={root} className="nbf-wide" role="dialog" aria-label={`Node ${node.id}`} tabIndex={-1} onKeyDown={(event) => keepFocus(event, root.current)}>
      <NodeHead node={node}>
        <ExecutionPicker />
        {before ? <Button small sign="left" text={before.source} label={`Go to ${before.source}`} onClick={() => view.select([before.source])} /> : null}
        {after ? <Button small sign="right" text={after.target} label={`Go to ${after.target}`} onClick={() => view.select([after.target])} /> : null}
        <NodeActions node={node} />
        <Button small sign="close" label="Close" action="close" onClick={close} />
      </NodeHead>
      <div className="nbf-columns">
        <section className="nbf-column" aria-label="Input">
          <h4 className="nbf-column-title">Input</h4>
          <NodeData key={node.id} node={node.id} side="input" />
        </section>
        <section className="nbf-column nbf-column-form" aria-label="Form">
          <NodeTabs key={node.id} node={node} without={['data']} />
        </section>
        <section className="nbf-column" aria-label="Output">
          <h4 className="nbf-column-title">Output</h4>
          <NodeData key={node.id} node={node.id} side="output" />
        </section>
      </div>
    </div>
  );
}

const STOPS = 'button:not(:disabled), input:not(:disabled), select:not(:disabled), textarea:not(:disabled), summary, [tabindex="0"]';

/** Tab goes round inside a dialog. */
export function keepFocus(event: React.KeyboardEvent, root: HTMLElement | null): void {
  if (event.key !== 'Tab' || !root) return;
  const stops = [...root.querySelectorAll<HTMLElement>(STOPS)].filter((stop) => stop.tabIndex >= 0 && stop.offsetParent !== null);
  const [first, last] = [stops[0], stops.at(-1)];
  const active = (root.getRootNode() as Document | ShadowRoot).activeElement;
  const [edge, other] = event.shiftKey ? [first, last] : [last, first];
  if (active !== edge && active !== root) return;
  if (active === root && !event.shiftKey) return;
  event.preventDefault();
  other?.focus();
}
