/** A view of a flow: toolbar, list of node types, drawing, panel. Knows its host only by host.ts. */

import { ReactFlowProvider } from '@xyflow/react';
import { useCallback, useEffect, useId, useMemo, useRef, useState } from 'react';
import { Actions, type Stage } from './actions';
import { SurroundingsProvider } from './context';
import { editorOf } from './editor';
import { FlowPanel } from './FlowPanel';
import { Help } from './Help';
import type { Host } from './host';
import { isWriting, staysInside, actionFor } from './keys';
import { NodePanel } from './NodePanel';
import { NodeWide } from './NodeWide';
import { Palette } from './Palette';
import { Pane } from './Pane';
import { perform } from './perform';
import { QuickAdd } from './QuickAdd';
import { useStore } from './store';
import { useTheme } from './theme';
import { Live, ToastLine } from './Toast';
import { Toolbar } from './Toolbar';
import { View } from './view';

export interface Attached {
  stage: Stage | null;
}

export function Canvas({ host }: { host: Host }): React.JSX.Element {
  const editor = editorOf(host);
  const prefix = useId().replace(/:/g, '');
  const root = useRef<HTMLDivElement>(null);
  const attached = useRef<Attached>({ stage: null });
  const [view] = useState(() => new View());
  const stage = useMemo<Stage>(() => lent(attached.current, root), []);
  const actions = useMemo(() => new Actions(editor, view, stage), [editor, view, stage]);
  const surroundings = useMemo(() => ({ host, editor, view, actions, prefix }), [host, editor, view, actions, prefix]);
  const options = useStore(host.options);
  const theme = useTheme(options.theme, root);
  const wide = useStore(view.wide);
  const current = useStore(view.current);
  const narrow = useNarrow(root);

  useEffect(() => {
    // over so small a drawing they open when asked for
    if (narrow) view.palette.set(false);
    view.panel.set(!narrow);
  }, [narrow, view]);

  const onKeyDown = useCallback(
    (event: React.KeyboardEvent) => {
      if (event.defaultPrevented) return event.stopPropagation();
      const writing = isWriting(event.target);
      const onControl = event.target instanceof HTMLElement && event.target.closest('button, a, [role=tab], [role=option], summary, input') !== null;
      const action = actionFor(event);
      if (staysInside(event)) event.stopPropagation();
      const plainOnControl = onControl && (event.key === 'Enter' || event.key === ' ' || event.key.startsWith('Arrow'));
      if (!action || (writing && action !== 'close') || plainOnControl) return;
      event.preventDefault();
      // out of a field first: what is selected stays, and so does the panel
      const inPanel = writing && !view.help.get() && !view.adding.get() && !view.wide.get() && view.renaming.get() === null;
      if (inPanel) stage.focus();
      else perform(actions, action);
    },
    [actions, stage, view],
  );

  return (
    <SurroundingsProvider value={surroundings}>
      <div
        ref={root}
        className={`nbf-canvas${narrow ? ' nbf-narrow' : ''}`}
        data-nbf-theme={theme}
        data-nbf-own={options.theme !== 'auto'}
        style={options.height === null ? { height: '100%' } : { height: options.height }}
        onKeyDown={onKeyDown}
        onKeyUp={(event) => event.stopPropagation()}
        role="region"
        aria-label={`Flow ${editor.flow.get().name}`}
      >
        <ReactFlowProvider>
          <Toolbar />
          <div className="nbf-body">
            <Palette />
            <div className="nbf-middle">
              <Pane attached={attached.current} />
              <QuickAdd />
              <ToastLine />
            </div>
            {current !== null && !wide ? <NodePanel /> : <FlowPanel />}
            {wide && current !== null ? <NodeWide /> : null}
          </div>
          <Help />
          <Live />
        </ReactFlowProvider>
      </div>
    </SurroundingsProvider>
  );
}

/** The pane attaches its stage when it is there; actions before that do nothing. */
function lent(attached: Attached, root: React.RefObject<HTMLDivElement>): Stage {
  return {
    fit: () => attached.stage?.fit(),
    zoom: (way) => attached.stage?.zoom(way),
    reveal: (id) => attached.stage?.reveal(id),
    centre: () => attached.stage?.centre() ?? [0, 0],
    toScreen: (point) => attached.stage?.toScreen(point) ?? [0, 0],
    focus: () => (attached.stage ? attached.stage.focus() : root.current?.focus()),
  };
}

const NARROW = 760; // pixels: then list and panel would leave no room to draw

function useNarrow(root: React.RefObject<HTMLDivElement>): boolean {
  const [narrow, setNarrow] = useState(false);
  useEffect(() => {
    if (!root.current || typeof ResizeObserver === 'undefined') return undefined;
    const observer = new ResizeObserver(([entry]) => setNarrow((entry?.contentRect.width ?? NARROW) < NARROW));
    observer.observe(root.current);
    return () => observer.disconnect();
  }, [root]);
  return narrow;
}
