import { Handle, Position } from '@xyflow/react';
import { memo } from 'react';
import type { PortType, Ports } from './catalogue';
import { useCanvas } from './context';
import { portOffset } from './sizes';
import type { From } from './view';

interface Props {
  id: string;
  ports: Ports;
  height: number;
  free: readonly string[]; // output ports that nothing follows
}

/** The ports of a card or a loop, on its left and right edge. Names are shown where there is a choice. */
export const PortHandles = memo(function PortHandles({ id, ports, height, free }: Props): React.JSX.Element {
  const named = (side: readonly PortType[], usual: string): boolean => side.length > 1 || side.some((port) => port.name !== usual);
  return (
    <>
      {ports.inputs.map((port, place) => (
        <Handle
          key={port.name}
          id={port.name}
          type="target"
          position={Position.Left}
          className={`nbf-port nbf-in${port.required ? ' nbf-required' : ''}${port.many ? ' nbf-many' : ''}`}
          style={{ top: portOffset(place, ports.inputs.length, height) }}
          title={hint(port, 'input')}
        >
          {ports.inputs.length > 1 ? <span className="nbf-port-name nbf-port-left">{port.name}</span> : null}
        </Handle>
      ))}
      {ports.outputs.map((port, place) => {
        const top = portOffset(place, ports.outputs.length, height);
        return (
          <div key={port.name}>
            <Handle id={port.name} type="source" position={Position.Right} className={`nbf-port nbf-out nbf-port-${tone(port.name)}`} style={{ top }} title={hint(port, 'output')} />
            {named(ports.outputs, 'output') ? (
              <span className={`nbf-port-name nbf-port-right nbf-port-${tone(port.name)}`} style={{ top }}>
                {port.name}
              </span>
            ) : null}
            {free.includes(port.name) ? <Next from={{ node: id, port: port.name, way: 'out' }} top={top} shift={named(ports.outputs, 'output') ? 12 + port.name.length * 6.2 : 0} /> : null}
          </div>
        );
      })}
    </>
  );
});

/** The way to what comes next: a plus after a port that nothing follows. Keys have `n` for it, so it is no stop of the Tab key. */
function Next({ from, top, shift }: { from: From; top: number; shift: number }): React.JSX.Element {
  const { actions } = useCanvas();
  return (
    <span className="nbf-next nodrag nopan" style={{ top, left: `calc(100% + ${8 + shift}px)` }}>
      <button
        type="button"
        tabIndex={-1}
        aria-label={`Add a node after ${from.node}, port ${from.port}`}
        title="What comes next"
        onClick={(event) => {
          event.stopPropagation();
          actions.ask({ from });
        }}
      >
        +
      </button>
    </span>
  );
}

function tone(name: string): string {
  return name === 'true' ? 'yes' : name === 'false' || name === 'error' ? 'no' : 'plain';
}

export function hint(port: PortType, way: 'input' | 'output'): string {
  return `${way} ${port.name}${port.type ? `: ${port.type}` : ''}${port.many ? ' (any number)' : port.required ? ' (required)' : ''}`;
}
