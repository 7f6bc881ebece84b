/** The newest executions: whatever started them, whoever ran them. */

import { refreshIcon, stopIcon } from '@jupyterlab/ui-components';
import { useState } from 'react';
import { hasEnded, STATUSES, type Execution, type Status } from '../records';
import { ago, duration, exactly } from '../words';
import { IconButton } from './IconButton';
import { Empty, type SectionProps } from './Section';
import { StatusIcon } from './StatusIcon';
import { matches } from './search';

export function Executions({ project, run }: SectionProps): React.JSX.Element {
  const [text, setText] = useState('');
  const found = project.executions.filter((execution) => matches(text, wordsOf(execution)));
  return (
    <>
      <div className="nbl-filter">
        <input type="search" className="nbl-input" placeholder="Filter" aria-label="Filter executions by text" value={text} onChange={(event) => setText(event.target.value)} />
        <select className="nbl-input" aria-label="Filter executions by status" value={project.status ?? ''} onChange={(event) => project.only((event.target.value || null) as Status | null)}>
          <option value="">all</option>
          {STATUSES.map((status) => (
            <option key={status}>{status}</option>
          ))}
        </select>
      </div>
      {found.length === 0 ? (
        <Empty project={project} nothing={text || project.status ? 'No execution is like that.' : 'Nothing ran yet. Run a flow, in a notebook or on a canvas.'} />
      ) : (
        <ul className="nbl-list" aria-label="Executions">
          {found.map((execution) => (
            <Row key={execution.execution_id} execution={execution} run={run} />
          ))}
        </ul>
      )}
    </>
  );
}

function Row({ execution, run }: { execution: Execution; run: SectionProps['run'] }): React.JSX.Element {
  const { execution_id: id, status } = execution;
  const name = execution.flow ?? 'flow';
  const when = execution.started_at ?? execution.accepted_at;
  return (
    <li className="nbl-row">
      <button type="button" className="nbl-main" title={`${exactly(when)}\n${id}`} onClick={() => run('execution', { id })}>
        <StatusIcon status={status} />
        <span className="nbl-lines">
          <span className="nbl-name">{name}</span>
          <span className={execution.error ? 'nbl-more nbl-bad' : 'nbl-more'}>
            {execution.error ? execution.error.message : [ago(when), duration(execution.duration_ms), execution.trigger].filter(Boolean).join(' · ')}
          </span>
        </span>
      </button>
      {hasEnded(status) ? (
        <IconButton icon={refreshIcon} label={`Run ${name} again`} onClick={() => run('retry', { id })} />
      ) : (
        <IconButton icon={stopIcon} label={`Cancel ${name}`} onClick={() => run('cancel', { id })} />
      )}
    </li>
  );
}

const wordsOf = ({ execution_id, flow, trigger, source, user, status, error }: Execution): string =>
  [flow, trigger, source, user, status, execution_id, error?.message, error?.node].filter(Boolean).join(' ');
