/** The drawing: React Flow with our nodes, none of its keys, and positions that are ours. */

import { Background, BackgroundVariant, MiniMap, Panel, ReactFlow, useReactFlow, SelectionMode, useStore as useFlowStore, type Connection, type IsValidConnection } from '@xyflow/react';
import { useCallback, useMemo, useRef, useState } from 'react';
import { Button } from './Button';
import type { Attached } from './Canvas';
import { useConnectEnd } from './connecting';
import { FarContext, useCanvas } from './context';
import { DRAGGED_TYPE, useDragging, useTypeDrop } from './dragging';
import { FlowEdgeLine, type CanvasEdge } from './Edge';
import { Empty } from './Empty';
import { FlowCard } from './FlowNode';
import { refusal } from './geometry';
import { Graph, type CanvasNode } from './graph';
import { LoopCard } from './LoopNode';
import { groupColour } from './look';
import { NoteCard } from './Note';
import { DOT_ZOOM, GRID, MIN_ZOOM, MINIMAP_FROM, MINIMAP_TO } from './sizes';
import { useStore } from './store';
import { useStage, useStart } from './viewport';

const NODE_TYPES = { card: FlowCard, loop: LoopCard, note: NoteCard };
const EDGE_TYPES = { flow: FlowEdgeLine };

export function Pane({ attached }: { attached: Attached }): React.JSX.Element {
  const { host, editor, view, actions, prefix } = useCanvas();
  const flow = useStore(editor.flow);
  const checked = useStore(host.checked);
  const catalogue = useStore(host.catalogue);
  const pins = useStore(host.pins);
  const options = useStore(host.options);
  const selected = useStore(view.selected);
  const selectedEdges = useStore(view.edges);
  const current = useStore(view.current);
  const linking = useStore(view.linking);
  const root = useRef<HTMLDivElement>(null);
  const [graph] = useState(() => new Graph());
  const [shift, setShift] = useState(false); // seen on the pointer, because React Flow's own keys listen on the whole page
  const additive = useRef(false);

  const drawing = useMemo(() => {
    actions.forget();
    return actions.drawing();
  }, [actions, flow, checked, catalogue]);
  const { dragged, resized, onNodesChange, onDragStop } = useDragging(drawing, additive);
  const nodes = useMemo(
    () => graph.nodes({ drawing, host, prefix, selected, current, linking, dragged, resized }),
    [graph, drawing, host, prefix, selected, current, linking, dragged, resized, pins],
  );
  const edges = useMemo(() => graph.edges(flow, host, selectedEdges), [graph, flow, host, selectedEdges, checked]);
  const start = useStart(root, drawing);
  // until React Flow has taken it over, the first viewport is ours: 500 cards must not be drawn whole, to become boxes at once
  const begun = useFlowStore((state) => state.panZoom !== null);
  const farNow = useFlowStore((state) => state.transform[2] < DOT_ZOOM);
  const far = begun ? farNow : (start?.viewport.zoom ?? 1) < DOT_ZOOM;
  useStage(attached, root, drawing, start?.placed === true);

  const onConnect = useCallback((made: Connection) => void (made.sourceHandle && made.targetHandle && actions.join({ source: made.source, source_port: made.sourceHandle, target: made.target, target_port: made.targetHandle })), [actions]);

  const isValid = useCallback<IsValidConnection<CanvasEdge>>(
    ({ source, target, sourceHandle, targetHandle }) => refusal(actions.drawing(), { source, source_port: sourceHandle ?? 'output', target, target_port: targetHandle ?? 'input' }) === null,
    [actions],
  );

  const onConnectEnd = useConnectEnd(root);
  const { screenToFlowPosition } = useReactFlow();
  const onDrop = useTypeDrop(root);

  const count = flow.nodes.length;
  return (
    <div
      ref={root}
      className={`nbf-pane${far ? ' nbf-far' : ''}${linking ? ' nbf-linking' : ''}`}
      tabIndex={0}
      role="application"
      aria-roledescription="flow canvas"
      aria-label={`${count} node${count === 1 ? '' : 's'}. Arrow keys go from node to node, ? shows all keys.`}
      aria-activedescendant={current === null ? undefined : `${prefix}-${current}`}
      onPointerMove={(event) => setShift(event.shiftKey)}
      onPointerDownCapture={(event) => {
        additive.current = event.shiftKey || event.ctrlKey || event.metaKey;
        const id = event.target instanceof Element ? event.target.closest('.react-flow__node')?.getAttribute('data-id') : null;
        if (!additive.current || !id || !view.selected.get().has(id)) return;
        view.select([...view.selected.get()].filter((other) => other !== id));
        event.stopPropagation();
      }}
      onPointerDown={(event) => {
        // React Flow's pane takes no focus by itself, and keys need one
        if (event.target instanceof Element && !event.target.closest('input, textarea, button, .nbf-quick')) root.current?.focus({ preventScroll: true });
      }}
      onDragOver={(event) => {
        if (!options.readonly && event.dataTransfer.types.includes(DRAGGED_TYPE)) event.preventDefault();
      }}
      onDrop={onDrop}
      onDoubleClick={(event) => {
        if (!(event.target instanceof Element) || !event.target.classList.contains('react-flow__pane')) return;
        const { x, y } = screenToFlowPosition({ x: event.clientX, y: event.clientY });
        actions.ask({ at: [x, y] });
      }}
    >
      <FarContext.Provider value={far}>
        {start === null ? null : <ReactFlow<CanvasNode, CanvasEdge>
          defaultViewport={start.viewport}
          nodes={nodes}
          edges={edges}
          nodeTypes={NODE_TYPES}
          edgeTypes={EDGE_TYPES}
          onNodesChange={onNodesChange}
          onNodeDragStop={onDragStop}
          onSelectionDragStop={(event, all) => onDragStop(event, null, all)}
          onNodeDoubleClick={(_, node) => {
            if (node.type === 'note') return;
            view.select([node.id]);
            view.wide.set(true);
          }}
          onEdgeClick={(_, edge) => {
            view.select([]);
            view.edges.set(new Set([edge.id]));
          }}
          onPaneClick={() => {
            view.select([]);
            view.adding.set(null);
          }}
          onConnect={onConnect}
          onConnectEnd={onConnectEnd}
          isValidConnection={isValid}
          nodesDraggable={!options.readonly}
          nodesConnectable={!options.readonly}
          elevateNodesOnSelect={false}
          nodesFocusable={false}
          edgesFocusable={false}
          disableKeyboardA11y
          deleteKeyCode={null}
          selectionKeyCode={null}
          multiSelectionKeyCode={null}
          panActivationKeyCode={null}
          zoomActivationKeyCode={null}
          selectionOnDrag={shift}
          panOnDrag={!shift}
          selectionMode={SelectionMode.Partial}
          zoomOnDoubleClick={false}
          zoomOnScroll={false}
          panOnScroll={false}
          preventScrolling={false}
          selectNodesOnDrag
          snapToGrid
          snapGrid={SNAP}
          minZoom={MIN_ZOOM}
          maxZoom={2}
          connectionRadius={28}
          attributionPosition="bottom-left"
          proOptions={PRO}
          onlyRenderVisibleElements={count > 150 && !far}
        >
          <Background variant={BackgroundVariant.Dots} gap={20} size={1.2} color="var(--nbf-dots)" />
          {count >= MINIMAP_FROM && count <= MINIMAP_TO ? <MiniMap style={MAP} pannable zoomable ariaLabel="Overview" nodeColor={(node) => groupColour(String((node.data as { node?: { type: string } }).node?.type ?? ''))} nodeStrokeWidth={0} /> : null}
          <Panel position="bottom-left" className="nbf-zoom">
            <Button small sign="minus" label="Zoom out" action="zoomOut" onClick={() => attached.stage?.zoom('out')} />
            <ZoomLevel onClick={() => attached.stage?.zoom('full')} />
            <Button small sign="plus" label="Zoom in" action="zoomIn" onClick={() => attached.stage?.zoom('in')} />
            <Button small sign="fit" label="Zoom to fit" action="fit" onClick={() => attached.stage?.fit()} />
          </Panel>
        </ReactFlow>}
      </FarContext.Provider>
      {count || Object.keys(flow.notes).length ? null : <Empty />}
    </div>
  );
}

const SNAP: [number, number] = [GRID, GRID];
const MAP = { width: 150, height: 96 };
const PRO = { hideAttribution: true };

function ZoomLevel({ onClick }: { onClick: () => void }): React.JSX.Element {
  const percent = useFlowStore((state) => Math.round(state.transform[2] * 100));
  return (
    <button type="button" className="nbf-zoom-level" aria-label={`Zoom ${percent} %, set to 100 %`} onClick={onClick}>
      {percent} %
    </button>
  );
}
