import { useState } from 'react';
import { Button } from './Button';
import { useCanvas } from './context';
import type { NodeRecord, Pin, Value } from './host';
import { StatusMark } from './Icon';
import { useRecord } from './record';
import { useStatus } from './status';
import { useStore } from './store';
import { ValueView } from './ValueView';

export type Side = 'input' | 'output';

/** What a node took in or gave, in the execution that is shown. */
export function NodeData({ node, side }: { node: string; side: Side }): React.JSX.Element {
  const { host, actions } = useCanvas();
  const { record, loading, error } = useRecord(node);
  const pin = useStore(host.pins)[node];
  if (!actions.can('inspect')) return <p className="nbf-callout">Values are not to be had here.</p>;
  if (error) return <p className="nbf-callout nbf-callout-wrong">{error}</p>;
  if (side === 'input') {
    if (!record) return <Nothing node={node} loading={loading} side={side} />;
    return <Ports values={record.inputs} side={side} node={node} />;
  }
  return (
    <>
      {pin ? <Pinned node={node} pin={pin} /> : null}
      {record ? <Output record={record} node={node} pinned={pin !== undefined} /> : pin ? null : <Nothing node={node} loading={loading} side={side} />}
    </>
  );
}

function Nothing({ node, loading, side }: { node: string; loading: boolean; side: Side }): React.JSX.Element {
  const { actions } = useCanvas();
  const { status } = useStatus(node);
  if (loading) return <p className="nbf-about" role="status">Loading…</p>;
  const told = status === 'running' ? `${node} runs.` : status === 'skipped' ? `${node} was skipped.` : `${node} has not run yet.`;
  return (
    <div className="nbf-nothing">
      <p>{told}</p>
      {side === 'output' && status !== 'running' && actions.can('run_to') ? <Button tone="line" sign="playTo" text="Run to here" label={`Run to ${node}`} action="runTo" onClick={() => actions.run('run_to', node)} /> : null}
    </div>
  );
}

function Pinned({ node, pin }: { node: string; pin: Pin }): React.JSX.Element {
  const { actions } = useCanvas();
  return (
    <section className="nbf-section nbf-pinned-value" aria-label="Pinned output">
      <div className="nbf-section-head">
        <strong>Pinned</strong>
        <span className="nbf-muted">{moment(pin.at)}</span>
        {actions.can('pin') ? <Button small sign="close" text="Unpin" label={`Unpin ${node}`} onClick={() => actions.pin(node)} /> : null}
      </div>
      <p className="nbf-about">This value is used instead of running the node.</p>
      <ValueView value={pin.value} name="pinned output" root={`nodes.${node}`} />
    </section>
  );
}

function Output({ record, node, pinned }: { record: NodeRecord; node: string; pinned: boolean }): React.JSX.Element {
  const { actions } = useCanvas();
  const facts = [record.duration, record.attempt && record.attempt > 1 ? `try ${record.attempt}` : '', record.iterations ? `${record.iterations} rounds` : '', record.started_at ? moment(record.started_at) : ''].filter(Boolean);
  return (
    <>
      <div className="nbf-section-head">
        <StatusMark status={record.status} />
        <strong>{record.status}</strong>
        <span className="nbf-muted">{facts.join(' · ')}</span>
        {actions.can('pin') && !pinned && record.status === 'completed' ? <Button small sign="pin" text="Pin" label={`Pin the output of ${node}`} action="pin" onClick={() => actions.pin(node)} /> : null}
      </div>
      {record.error ? <ErrorView error={record.error} /> : null}
      {record.status === 'failed' && !Object.keys(record.outputs).length ? null : <Ports values={record.outputs} side="output" node={node} />}
      {record.displays?.map((display, place) => (
        // shown in order, never changed
        <section key={place} className="nbf-section" aria-label={`Display ${place + 1}`}>
          <div className="nbf-section-head"><strong>Shown</strong></div>
          <ValueView value={display} name={`display ${place + 1}`} root={null} />
        </section>
      ))}
      {record.logs?.length ? <Logs logs={record.logs} /> : null}
    </>
  );
}

function Ports({ values, side, node }: { values: Readonly<Record<string, Value>>; side: Side; node: string }): React.JSX.Element {
  const ports = Object.entries(values);
  const [open, setOpen] = useState<string | null>(null);
  if (!ports.length) return <p className="nbf-about">{side === 'input' ? 'Nothing came in.' : 'Nothing went out.'}</p>;
  const shown = ports.find(([name]) => name === open) ?? ports[0];
  return (
    <section className="nbf-section" aria-label={side}>
      {ports.length > 1 || (ports[0]?.[0] !== side && ports[0]) ? (
        <div className="nbf-segments nbf-segments-small" role="tablist" aria-label={`${side} ports`}>
          {ports.map(([name]) => (
            <button key={name} type="button" role="tab" className="nbf-segment" aria-selected={name === shown?.[0]} onClick={() => setOpen(name)}>
              {name}
            </button>
          ))}
        </div>
      ) : null}
      {shown ? <ValueView key={shown[0]} value={shown[1]} name={`${side} ${shown[0]}`} root={side === 'input' ? 'input' : `nodes.${node}`} /> : null}
    </section>
  );
}

export function ErrorView({ error }: { error: NonNullable<NodeRecord['error']> }): React.JSX.Element {
  return (
    <section className="nbf-error" role="alert" aria-label="Error">
      <strong className="nbf-error-type">{error.type}</strong>
      <p className="nbf-error-message">{error.message}</p>
      {error.traceback ? (
        <details className="nbf-more">
          <summary className="nbf-summary">Traceback</summary>
          <pre className="nbf-pre" tabIndex={0}>{error.traceback.replace(ANSI, '')}</pre>
        </details>
      ) : null}
    </section>
  );
}

const ANSI = /\u001b\[[0-9;]*m/g;

function Logs({ logs }: { logs: NonNullable<NodeRecord['logs']> }): React.JSX.Element {
  return (
    <section className="nbf-section" aria-label="Log">
      <div className="nbf-section-head"><strong>Log</strong></div>
      <div className="nbf-log" tabIndex={0} role="log">
        {logs.map((line, place) => (
          <div key={place} className={`nbf-log-line nbf-log-${line.level}`}>{line.text.replace(ANSI, '')}</div>
        ))}
      </div>
    </section>
  );
}

export function moment(at: string): string {
  const time = new Date(at);
  if (Number.isNaN(time.getTime())) return at;
  const today = new Date().toDateString() === time.toDateString();
  return time.toLocaleString(undefined, today ? { timeStyle: 'medium' } : { dateStyle: 'medium', timeStyle: 'short' });
}
