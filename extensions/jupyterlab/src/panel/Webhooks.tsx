/** Addresses that start workflows. */

import { copyIcon } from '@jupyterlab/ui-components';
import { Clipboard } from '@jupyterlab/apputils';
import { Notification } from '@jupyterlab/apputils';
import type { Webhook } from '../records';
import { messageOf } from '../server';
import { IconButton } from './IconButton';
import { Empty, type SectionProps } from './Section';

export function Webhooks({ project }: SectionProps): React.JSX.Element {
  if (project.webhooks.length === 0) return <Empty project={project} nothing="No workflow has a webhook." />;
  const copy = (webhook: Webhook): void => {
    project.server.place().then(
      ({ url }) => {
        const address = new URL(webhook.url, `${url}/`).href;
        Clipboard.copyToSystem(address);
        Notification.success(`Copied ${address}`, { autoClose: 3000 });
      },
      (error: unknown) => Notification.error(messageOf(error)),
    );
  };
  return (
    <ul className="nbl-list" aria-label="Webhooks">
      {project.webhooks.map((webhook) => (
        <li className="nbl-row" key={`${webhook.method} ${webhook.path} ${webhook.workflow_id}`}>
          <span className="nbl-main">
            <span className={webhook.active ? 'nbl-dot nbl-on' : 'nbl-dot'} role="img" aria-label={webhook.active ? 'active' : 'not active'} />
            <span className="nbl-lines">
              <span className="nbl-name nbl-code" title={webhook.path}>
                {webhook.method} {webhook.path}
              </span>
              <span className="nbl-more">{[webhook.workflow, webhook.auth === 'none' ? 'open to all' : webhook.auth].join(' · ')}</span>
            </span>
          </span>
          <IconButton icon={copyIcon} label={`Copy the URL of ${webhook.method} ${webhook.path}`} onClick={() => copy(webhook)} />
        </li>
      ))}
    </ul>
  );
}
