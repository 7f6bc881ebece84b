/** Commands about executions: of the document, of the view, or of the row that is meant. */

import type { JupyterFrontEnd } from '@jupyterlab/application';
import { IFrame, MainAreaWidget, Notification, WidgetTracker } from '@jupyterlab/apputils';
import { refreshIcon, runIcon, stopIcon } from '@jupyterlab/ui-components';
import { askForParameters } from './dialogs/ask';
import type { FlowTracker } from './documents';
import { ExecutionView } from './execution/ExecutionView';
import { dashboardIcon } from './icons';
import { Command } from './names';
import type { Project } from './project';
import { hasEnded } from './records';
import { messageOf } from './server';
import type { Settings } from './settings';

type ViewTracker = WidgetTracker<MainAreaWidget<ExecutionView>>;
type Args = { readonly [key: string]: unknown };

const withId = { args: { type: 'object', properties: { id: { type: 'string' } } } };

export function addExecutionCommands(app: JupyterFrontEnd, project: Project, documents: FlowTracker, settings: Settings): void {
  const { commands, shell } = app;
  const { server } = project;
  const views: ViewTracker = new WidgetTracker({ namespace: 'nbflow-executions' });
  const document = () => (documents.currentWidget && documents.currentWidget === shell.currentWidget ? documents.currentWidget.flow : undefined);
  const viewed = () => (views.currentWidget && views.currentWidget === shell.currentWidget ? views.currentWidget.content.followed : undefined);
  const openExecution = (id: string) => commands.execute(Command.execution, { id });

  commands.addCommand(Command.run, {
    label: 'Run Flow',
    caption: 'Run the flow on the canvas',
    icon: runIcon,
    isEnabled: () => document() !== undefined,
    execute: () => document()?.command({ name: 'run' }),
  });
  commands.addCommand(Command.cancel, {
    label: 'Cancel Execution',
    caption: 'Stop what runs',
    icon: stopIcon,
    describedBy: withId,
    isEnabled: (args) => idOf(args) !== null || document() !== undefined || viewed() !== undefined,
    execute: async (args) => {
      const id = idOf(args) ?? viewed()?.id;
      if (id === undefined) return void document()?.command({ name: 'stop' });
      await told(server.cancel(id));
      project.refresh();
    },
  });
  commands.addCommand(Command.retry, {
    label: 'Run Execution Again',
    caption: 'With the same definition, parameters and input',
    icon: refreshIcon,
    describedBy: withId,
    isEnabled: (args) => idOf(args) !== null || document() !== undefined || hasEnded(viewed()?.detail?.status ?? ''),
    execute: async (args) => {
      const id = idOf(args) ?? viewed()?.id;
      if (id === undefined) return void document()?.command({ name: 'run' });
      const made = await told(server.retry(id));
      project.refresh();
      return made && openExecution(made);
    },
  });
  commands.addCommand(Command.workflow, {
    label: 'Run Workflow',
    describedBy: withId,
    execute: async (args) => {
      const id = idOf(args);
      if (id === null) return undefined;
      const workflow = await told(server.workflow(id));
      const params = workflow && (await askForParameters(workflow.name, workflow.definition.parameters));
      if (!params) return undefined;
      const made = await told(server.run(id, params));
      project.refresh();
      return made && openExecution(made);
    },
  });
  commands.addCommand(Command.execution, {
    label: 'Open Execution',
    describedBy: withId,
    execute: (args) => {
      const id = idOf(args);
      if (id === null) return;
      const found = views.find((view) => view.content.followed.id === id);
      if (found) return shell.activateById(found.id);
      const content = new ExecutionView(server, id, (name, more) => void commands.execute(Command[name], more));
      const view = new MainAreaWidget({ content });
      view.toolbar.hide();
      view.id = `nbflow-execution-${id}`;
      view.title.closable = true;
      void views.add(view);
      shell.add(view, 'main');
      shell.activateById(view.id);
    },
  });
  commands.addCommand(Command.dashboard, {
    label: 'Open Dashboard',
    caption: 'The project’s pages: executions with all their details',
    icon: dashboardIcon,
    execute: () => {
      const dark = window.document.body.dataset['jpThemeLight'] === 'false';
      localStorage.setItem('nbflow-theme', dark ? 'dark' : 'light'); // the pages' own switch, which begins as Lab is
      const url = server.url('pages/executions');
      if (settings.dashboard === 'browser') return void window.open(url, '_blank', 'noopener');
      const frame = new IFrame({ sandbox: ['allow-same-origin', 'allow-scripts', 'allow-forms', 'allow-popups', 'allow-downloads'] });
      frame.url = url;
      const widget = new MainAreaWidget({ content: frame });
      widget.title.label = 'Dashboard';
      widget.title.icon = dashboardIcon;
      widget.toolbar.hide();
      widget.id = `nbflow-dashboard-${Date.now()}`;
      widget.title.closable = true;
      shell.add(widget, 'main');
      shell.activateById(widget.id);
    },
  });
  const again = (): void => [Command.run, Command.cancel, Command.retry].forEach((id) => commands.notifyCommandChanged(id));
  documents.currentChanged.connect(again);
  views.currentChanged.connect(again);
}

const idOf = (args: Args): string | null => (typeof args['id'] === 'string' && args['id'] ? args['id'] : null);

/** A refusal is shown; the answer is then undefined. */
async function told<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    Notification.error(messageOf(error), { autoClose: false });
    return undefined;
  }
}
