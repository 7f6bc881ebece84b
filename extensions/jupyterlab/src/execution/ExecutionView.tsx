/** One execution in the main area: what went in, what came out, what each node did, printed and failed with. */

import { ReactWidget, UseSignal, refreshIcon, stopIcon } from '@jupyterlab/ui-components';
import { flowIcon } from '../icons';
import { StatusIcon } from '../panel/StatusIcon';
import type { SectionProps } from '../panel/Section';
import { hasEnded, type ExecutionDetail, type NodeLog } from '../records';
import type { Server } from '../server';
import { duration, exactly } from '../words';
import { Followed } from './follow';

type Run = SectionProps['run'];

export class ExecutionView extends ReactWidget {
  readonly followed: Followed;

  constructor(
    server: Server,
    id: string,
    private readonly run: Run,
  ) {
    super();
    this.addClass('nbl-execution');
    this.followed = new Followed(server, id);
    this.title.label = `Execution ${id.slice(-6)}`;
    this.title.icon = flowIcon;
    this.followed.changed.connect(() => {
      const { detail } = this.followed;
      if (detail) this.title.label = `${detail.flow ?? 'flow'} ${id.slice(-6)}`;
    });
  }

  override dispose(): void {
    this.followed.dispose();
    super.dispose();
  }

  protected render(): React.JSX.Element {
    return <UseSignal signal={this.followed.changed}>{() => <Told followed={this.followed} run={this.run} />}</UseSignal>;
  }
}

function Told({ followed: { detail, trouble }, run }: { followed: Followed; run: Run }): React.JSX.Element {
  if (!detail) {
    return (
      <p className={trouble ? 'nbl-told nbl-bad' : 'nbl-told'} role="status">
        {trouble ?? 'Reading…'}
      </p>
    );
  }
  return (
    <article className="nbl-page" aria-label={`Execution of ${detail.flow ?? 'a flow'}`}>
      <Head detail={detail} run={run} />
      {trouble ? <p className="nbl-callout nbl-bad">{trouble}</p> : null}
      {detail.error ? (
        <div className="nbl-callout nbl-bad" role="alert">
          <strong>{detail.error.type}</strong>
          {detail.error.node ? ` in node ${detail.error.node}` : ''}: {detail.error.message}
        </div>
      ) : null}
      <Value title="Input" value={detail.input} />
      <Value title="Outputs" value={detail.outputs} open />
      <Nodes nodes={detail.nodes} running={!hasEnded(detail.status)} />
    </article>
  );
}

function Head({ detail, run }: { detail: ExecutionDetail; run: Run }): React.JSX.Element {
  const { execution_id: id, status } = detail;
  const facts: [string, string][] = [
    ['Status', status],
    ['Began', exactly(detail.started_at ?? detail.accepted_at)],
    ['Took', duration(detail.duration_ms)],
    ['Started by', [detail.trigger, detail.source, detail.user].filter(Boolean).join(', ')],
    ['Nodes', String(detail.nodes_total)],
    ['Tokens', detail.tokens_in + detail.tokens_out > 0 ? `${detail.tokens_in} in, ${detail.tokens_out} out` : ''],
    ['Cost', detail.cost_usd === null ? '' : `$${detail.cost_usd.toFixed(4)}`],
    ['Id', id],
  ];
  return (
    <header className="nbl-head">
      <div className="nbl-title">
        <StatusIcon status={status} />
        <h1>{detail.flow ?? 'flow'}</h1>
        <span className="nbl-grow" />
        {hasEnded(status) ? (
          <Button icon={refreshIcon} text="Run again" onClick={() => run('retry', { id })} />
        ) : (
          <Button icon={stopIcon} text="Cancel" onClick={() => run('cancel', { id })} />
        )}
        {detail.parent_execution_id ? <Button text="Open the one it repeats" onClick={() => run('execution', { id: detail.parent_execution_id ?? '' })} /> : null}
        <Button text="Dashboard" onClick={() => run('dashboard')} />
      </div>
      <dl className="nbl-facts">
        {facts
          .filter(([, value]) => value)
          .map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
      </dl>
    </header>
  );
}

function Button({ icon: Icon, text, onClick }: { icon?: typeof stopIcon; text: string; onClick: () => void }): React.JSX.Element {
  return (
    <button type="button" className="nbl-button" onClick={onClick}>
      {Icon ? <Icon.react tag="span" height="14px" width="14px" /> : null}
      {text}
    </button>
  );
}

function Nodes({ nodes, running }: { nodes: readonly NodeLog[]; running: boolean }): React.JSX.Element {
  return (
    <section>
      <h2>Nodes</h2>
      {nodes.length === 0 ? <p className="nbl-empty">{running ? 'None has ended yet.' : 'None ran.'}</p> : null}
      {nodes.map((node) => (
        <Node key={node.seq} node={node} />
      ))}
    </section>
  );
}

function Node({ node }: { node: NodeLog }): React.JSX.Element {
  const more = [node.type, node.path && `iteration ${node.path}`, node.iterations ? `${node.iterations} iterations` : '', (node.attempt ?? 1) > 1 && `attempt ${node.attempt}`];
  return (
    <details className="nbl-node" open={node.status === 'failed'}>
      <summary>
        <StatusIcon status={node.status} />
        <span className="nbl-name">{node.node}</span>
        <span className="nbl-more">{more.filter(Boolean).join(' · ')}</span>
        <span className="nbl-grow" />
        <span className="nbl-more">{duration(node.duration_ms)}</span>
      </summary>
      {node.error ? (
        <p className="nbl-bad">
          <strong>{node.error.type}</strong>: {node.error.message}
        </p>
      ) : null}
      {node.logs.length > 0 ? <pre className="nbl-text">{node.logs.map(({ text }) => text.replace(/\n?$/, '\n')).join('')}</pre> : null}
      {node.preview !== null && node.preview !== undefined ? <pre className="nbl-text">{JSON.stringify(node.preview, null, 2)}</pre> : null}
      {node.traceback ? (
        <details>
          <summary>Traceback</summary>
          <pre className="nbl-text">{node.traceback}</pre>
        </details>
      ) : null}
    </details>
  );
}

function Value({ title, value, open = false }: { title: string; value: unknown; open?: boolean }): React.JSX.Element | null {
  if (value === null || value === undefined || (typeof value === 'object' && Object.keys(value).length === 0)) return null;
  return (
    <details className="nbl-value" open={open}>
      <summary>
        <h2>{title}</h2>
      </summary>
      <pre className="nbl-text">{JSON.stringify(value, null, 2)}</pre>
    </details>
  );
}
