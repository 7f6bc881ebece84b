import type { Node, NodeProps } from '@xyflow/react';
import { memo, useEffect, useRef } from 'react';
import type { Ports } from './catalogue';
import { useCanvas, useFar } from './context';
import type { FlowNode } from './document';
import { StatusMark, TypeIcon, Sign } from './Icon';
import { groupColour } from './look';
import { PortHandles } from './Ports';
import { NodeTools } from './NodeTools';
import { useStatus } from './status';

export interface CardData extends Record<string, unknown> {
  node: FlowNode;
  title: string;
  ports: Ports;
  free: readonly string[];
  problems: number;
  pinned: boolean;
  height: number;
  linked: 'from' | 'to' | null; // while connecting by keyboard
  current: boolean;
  dom: string; // element id
}

export type CardNode = Node<CardData, 'card' | 'loop'>;

/** One step, drawn as a card; from afar as a box. */
export const FlowCard = memo(function FlowCard({ data, selected }: NodeProps<CardNode>): React.JSX.Element {
  const far = useFar();
  const { node, ports, problems, pinned, height, free } = data;
  const root = useStatusAttribute(node.id);
  const state = cardState(data, selected);
  return (
    <div
      ref={root}
      id={data.dom}
      role="button"
      aria-label={describe(data)}
      aria-pressed={selected}
      className={`nbf-card${state}`}
      style={far ? { background: groupColour(node.type) } : undefined}
      data-node={node.id}
    >
      {far ? null : (
        <>
          <TypeIcon type={node.type} />
          <div className="nbf-card-text">
            <div className="nbf-card-id">{node.id}</div>
            <div className="nbf-card-type">
              <span>{data.title}</span>
              <CardDetail id={node.id} />
            </div>
          </div>
          <CardBadges id={node.id} problems={problems} pinned={pinned} notes={node.settings.notes} each={node.settings.each === true} />
          <CardProgress id={node.id} />
          {selected ? <NodeTools id={node.id} disabled={node.settings.disabled === true} pinned={pinned} /> : null}
        </>
      )}
      <PortHandles id={node.id} ports={ports} height={height} free={far ? NONE : free} />
    </div>
  );
});

const NONE: readonly string[] = [];

export function cardState(data: CardData, selected: boolean | undefined): string {
  return [
    selected && ' nbf-selected',
    data.current && ' nbf-current',
    data.node.settings.disabled && ' nbf-disabled',
    data.problems && ' nbf-wrong',
    data.pinned && ' nbf-pinned',
    data.linked && ` nbf-link-${data.linked}`,
  ]
    .filter(Boolean)
    .join('');
}

/** Sets `data-status` without React: the colour of 500 cards may change ten times a second. */
export function useStatusAttribute(id: string): React.RefObject<HTMLDivElement> {
  const { statuses } = useCanvas().host;
  const root = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const show = (): void => {
      if (root.current) root.current.dataset['status'] = statuses.get(id).status;
    };
    show();
    return statuses.watch(id, show);
  }, [statuses, id]);
  return root;
}

/** Without the status: that is told by the live region when it matters, and by the data tab. */
export function describe({ node, title, problems, pinned }: CardData): string {
  const told = [node.id, title, node.settings.disabled && 'disabled', pinned && 'pinned', problems && `${problems} problem${problems > 1 ? 's' : ''}`, node.parent && `inside ${node.parent}`];
  return told.filter(Boolean).join(', ');
}

export function CardDetail({ id }: { id: string }): React.JSX.Element | null {
  const { detail } = useStatus(id);
  return detail ? <span className="nbf-detail">{detail}</span> : null;
}

function CardProgress({ id }: { id: string }): React.JSX.Element | null {
  const { status, fraction } = useStatus(id);
  if (status !== 'running' || fraction === undefined || fraction === null) return null;
  return (
    <div className="nbf-progress" role="progressbar" aria-valuenow={Math.round(fraction * 100)} aria-valuemin={0} aria-valuemax={100} aria-label={`${id} progress`}>
      <span style={{ width: `${fraction * 100}%` }} />
    </div>
  );
}

interface BadgesProps {
  id: string;
  problems: number;
  pinned: boolean;
  notes: string | undefined;
  each: boolean;
}

export function CardBadges({ id, problems, pinned, notes, each }: BadgesProps): React.JSX.Element {
  const { status, error } = useStatus(id);
  return (
    <div className="nbf-badges">
      {each ? <span className="nbf-each" title="Runs once for each item">each</span> : null}
      {notes ? <span className="nbf-badge" title={notes}><Sign name="note" size={13} /></span> : null}
      {pinned ? <span className="nbf-badge nbf-badge-pin" title="Output pinned"><Sign name="pin" size={13} /></span> : null}
      {problems && status !== 'failed' ? <span className="nbf-badge nbf-badge-problem" title={`${problems} problem${problems > 1 ? 's' : ''}`}><Sign name="warn" size={14} /></span> : null}
      {status !== 'pending' ? <span title={error ? `failed: ${error}` : status}><StatusMark status={status} /></span> : null}
    </div>
  );
}
