/** What was published: stored flows that triggers, or a click, start. */

import { runIcon } from '@jupyterlab/ui-components';
import type { Workflow } from '../records';
import { IconButton } from './IconButton';
import { Empty, type SectionProps } from './Section';

export function Workflows({ project, run }: SectionProps): React.JSX.Element {
  if (project.workflows.length === 0) return <Empty project={project} nothing="Nothing is published yet. In a notebook: flow.publish(webhook=&quot;/orders&quot;)." />;
  return (
    <ul className="nbl-list" aria-label="Workflows">
      {project.workflows.map((workflow) => (
        <li className="nbl-row" key={workflow.id}>
          <span className="nbl-main" title={workflow.description || workflow.name}>
            <span className={workflow.active ? 'nbl-dot nbl-on' : 'nbl-dot'} role="img" aria-label={workflow.active ? 'active' : 'not active'} title={workflow.active ? 'Active: its triggers start it' : 'Not active: only started by hand'} />
            <span className="nbl-lines">
              <span className="nbl-name">{workflow.name}</span>
              <span className="nbl-more">{about(workflow)}</span>
            </span>
          </span>
          <IconButton icon={runIcon} label={`Run ${workflow.name}`} onClick={() => run('workflow', { id: workflow.id })} />
        </li>
      ))}
    </ul>
  );
}

const about = ({ version, triggers, nodes_total }: Workflow): string =>
  [`version ${version}`, `${nodes_total} ${nodes_total === 1 ? 'node' : 'nodes'}`, ...new Set(triggers.map((trigger) => trigger.replace('trigger.', '')))].join(' · ');
