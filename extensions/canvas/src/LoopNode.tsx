import { Handle, Position, type NodeProps } from '@xyflow/react';
import { memo } from 'react';
import { useCanvas, useFar } from './context';
import { CardBadges, CardDetail, cardState, describe, useStatusAttribute, type CardNode } from './FlowNode';
import { TypeIcon } from './Icon';
import { NodeTools } from './NodeTools';
import { hint, PortHandles } from './Ports';

/** A loop: a container around its body, with ports inside too (`item`, `index` where the body begins, `result` where it ends). */
export const LoopCard = memo(function LoopCard({ data, selected }: NodeProps<CardNode>): React.JSX.Element {
  const { actions } = useCanvas();
  const far = useFar();
  const { node, ports, pinned, problems, height, free } = data;
  const root = useStatusAttribute(node.id);
  return (
    <div ref={root} id={data.dom} role="group" aria-label={describe(data)} className={`nbf-loop${cardState(data, selected)}`} data-node={node.id}>
      {far ? null : (
        <div className="nbf-loop-head">
          <TypeIcon type={node.type} size={24} />
          <span className="nbf-card-id">{node.id}</span>
          <span className="nbf-card-type">
            <span>{data.title}</span>
            <CardDetail id={node.id} />
          </span>
          <CardBadges id={node.id} problems={problems} pinned={pinned} notes={node.settings.notes} each={false} />
        </div>
      )}
      {data['empty'] && !far ? (
        <button type="button" className="nbf-loop-empty nodrag nopan" onClick={() => actions.ask({ from: { node: node.id, port: 'item', way: 'out' } })}>
          + Add what is repeated
        </button>
      ) : null}
      {selected && !far ? <NodeTools id={node.id} disabled={node.settings.disabled === true} pinned={pinned} /> : null}
      <PortHandles id={node.id} ports={ports} height={height} free={far ? [] : free} />
      {ports.inner?.sources.map((port, place) => (
        <Handle
          key={port.name}
          id={port.name}
          type="source"
          position={Position.Right}
          className="nbf-port nbf-inner nbf-inner-source"
          style={{ top: 66 + place * 22 }}
          title={port.name === 'item' ? 'item: what this round is about' : 'index: number of the round, from 0'}
        >
          {far ? null : <span className="nbf-port-name nbf-inner-name">{port.name}</span>}
        </Handle>
      ))}
      {ports.inner?.targets.map((port) => (
        <Handle key={port.name} id={port.name} type="target" position={Position.Left} className="nbf-port nbf-inner nbf-inner-target" style={{ top: 66 }} title={hint(port, 'input')}>
          {far ? null : <span className="nbf-port-name nbf-inner-name nbf-inner-result">{port.name}</span>}
        </Handle>
      ))}
    </div>
  );
});
