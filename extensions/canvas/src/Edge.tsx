import { BaseEdge, getBezierPath, type Edge, type EdgeProps } from '@xyflow/react';
import { memo, useCallback, useEffect, useRef, useSyncExternalStore } from 'react';
import { useCanvas, useFar } from './context';
import type { FlowEdge } from './document';
import { disconnect } from './edits';
import { count } from './look';

export interface EdgeData extends Record<string, unknown> {
  edge: FlowEdge;
  wrong: boolean;
}
export type CanvasEdge = Edge<EdgeData, 'flow'>;

const ROOM = 120; // pixels between two nodes: less has no place for a word beside the number

/** A value's way. Shows how many items went along it in the execution, and lets one put a node between. */
export const FlowEdgeLine = memo(function FlowEdgeLine(props: EdgeProps<CanvasEdge>): React.JSX.Element {
  const far = useFar();
  const { id, data, selected } = props;
  const edge = data?.edge;
  const [path, x, y] = getBezierPath(props);
  const root = useEdgeStatus(edge);
  return (
    <g ref={root} className={`nbf-edge${selected ? ' nbf-edge-selected' : ''}${data?.wrong ? ' nbf-edge-wrong' : ''}`}>
      <BaseEdge id={id} path={path} {...(props.markerEnd && !far ? { markerEnd: props.markerEnd } : {})} interactionWidth={far ? 0 : 18} />
      {far || !edge ? null : (
        <>
          <EdgeLabel edge={edge} x={x} y={y} roomy={Math.abs(props.targetX - props.sourceX) > ROOM} />
          <EdgeTools id={id} edge={edge} x={x} y={y + 20} />
        </>
      )}
    </g>
  );
});

/** Sets `data-status` without React, as on the cards: 500 edges may change ten times a second. */
function useEdgeStatus(edge: FlowEdge | undefined): React.RefObject<SVGGElement> {
  const { statuses } = useCanvas().host;
  const root = useRef<SVGGElement>(null);
  useEffect(() => {
    if (!edge) return undefined;
    const show = (): void => {
      const { status, items } = statuses.get(edge.source);
      // a port that others had items of, and this one none: the value went another way
      const dead = status === 'skipped' || (status === 'completed' && items !== undefined && Object.keys(items).length > 0 && items[edge.source_port] === undefined && !INNER.has(edge.source_port));
      if (root.current) root.current.dataset['status'] = dead ? 'dead' : status;
    };
    show();
    return statuses.watch(edge.source, show);
  }, [statuses, edge]);
  return root;
}

/** Ports inside a loop: what goes out of the loop says nothing of them. */
const INNER = new Set(['item', 'index']);

function EdgeLabel({ edge, x, y, roomy }: { edge: FlowEdge; x: number; y: number; roomy: boolean }): React.JSX.Element | null {
  const { statuses } = useCanvas().host;
  const { source, source_port, target, path } = edge;
  const items = useSyncExternalStore(
    useCallback((listener: () => void) => statuses.watch(source, listener), [statuses, source]),
    () => statuses.get(source).items?.[source_port],
  );
  const counted = items === undefined ? '' : `${count(items)}${roomy ? ` item${items === 1 ? '' : 's'}` : ''}`;
  const label = counted || (path.length ? `.${path.join('.')}` : '');
  if (!label) return null;
  const width = label.length * 6 + 14;
  return (
    <g className="nbf-edge-label" transform={`translate(${x} ${y})`}>
      {items === undefined ? null : <title>{`${count(items)} items went from ${source} to ${target}`}</title>}
      <rect x={-width / 2} y={-9} width={width} height={18} rx={9} />
      <text textAnchor="middle" y={3.6}>{label}</text>
    </g>
  );
}

function EdgeTools({ id, edge, x, y }: { id: string; edge: FlowEdge; x: number; y: number }): React.JSX.Element | null {
  const { actions, editor, view } = useCanvas();
  if (actions.readonly) return null;
  return (
    <g className="nbf-edge-tools nodrag nopan" transform={`translate(${x} ${y})`}>
      <EdgeButton x={-13} sign="M-4 0H4M0-4V4" title="Put a node between" onClick={() => actions.askBetween(id, [x - 100, y - 47], parentOf(edge, editor.flow.get().nodes))} />
      <EdgeButton
        x={13}
        sign="M-3.5-3.5 3.5 3.5M3.5-3.5-3.5 3.5"
        title="Delete the connection"
        onClick={() => {
          editor.edit('delete connection', (flow) => disconnect(flow, new Set([id])));
          view.say('Connection deleted');
        }}
      />
    </g>
  );
}

/** A node put on an edge stands beside the end that lies deeper. */
function parentOf(edge: FlowEdge | undefined, nodes: readonly { id: string; parent: string | null }[]): string | null {
  const [source, target] = [nodes.find(({ id }) => id === edge?.source), nodes.find(({ id }) => id === edge?.target)];
  if (target?.parent === source?.id) return source?.id ?? null;
  if (source?.parent === target?.id) return target?.id ?? null;
  return target?.parent ?? null;
}

function EdgeButton({ x, sign, title, onClick }: { x: number; sign: string; title: string; onClick: () => void }): React.JSX.Element {
  return (
    <g
      className="nbf-edge-button"
      transform={`translate(${x} 0)`}
      role="button"
      aria-label={title}
      onClick={(event) => {
        event.stopPropagation();
        onClick();
      }}
    >
      <title>{title}</title>
      <circle r={10} />
      <path d={sign} />
    </g>
  );
}
