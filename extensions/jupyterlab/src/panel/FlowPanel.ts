/** The panel at the side: what is published, what ran, which addresses start it. */

import { Signal, type ISignal } from '@lumino/signaling';
import type { Message } from '@lumino/messaging';
import { CommandToolbarButton, SidePanel, ToolbarButton, addIcon, refreshIcon } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import { dashboardIcon, panelIcon } from '../icons';
import { Command } from '../names';
import type { Project } from '../project';
import { Executions } from './Executions';
import { Section, type SectionProps } from './Section';
import { Webhooks } from './Webhooks';
import { Workflows } from './Workflows';

export class FlowPanel extends SidePanel {
  private readonly showing = new Signal<this, void>(this);

  constructor(commands: CommandRegistry) {
    super();
    this.addClass('nbl-panel');
    this.id = 'nbflow-panel';
    this.title.icon = panelIcon;
    this.title.caption = 'Flows';
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', 'Flows');
    this.toolbar.addItem(Command.new, new CommandToolbarButton({ commands, id: Command.new, label: '', icon: addIcon, caption: 'New flow' }));
    this.toolbar.addItem(Command.dashboard, new CommandToolbarButton({ commands, id: Command.dashboard, label: '', icon: dashboardIcon, caption: 'Open the dashboard' }));
  }

  /** Somebody looks at it again. */
  get shown(): ISignal<this, void> {
    return this.showing;
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.showing.emit();
  }

  fill(project: Project, run: SectionProps['run']): void {
    this.toolbar.addItem('refresh', new ToolbarButton({ icon: refreshIcon, tooltip: 'Look again', onClick: () => project.refresh() }));
    for (const [title, View] of [
      ['Executions', Executions],
      ['Workflows', Workflows],
      ['Webhooks', Webhooks],
    ] as const)
      this.addWidget(new Section(title, View, { project, run }));
  }
}
