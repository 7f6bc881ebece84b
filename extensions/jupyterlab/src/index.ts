/** The extension: everything optional but the application itself, so that it works in JupyterLab and in Notebook 7. */

import { ILabShell, ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IDocumentManager } from '@jupyterlab/docmanager';
import { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { ILauncher } from '@jupyterlab/launcher';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { settingsIcon } from '@jupyterlab/ui-components';
import { addCellCommand } from './cells';
import { addDocumentCommands, addDocuments, addToPalette } from './documents';
import { addExecutionCommands } from './executions';
import { Command, FACTORY, PLUGIN } from './names';
import { FlowPanel } from './panel/FlowPanel';
import { Project } from './project';
import { Server } from './server';
import { Settings } from './settings';

const plugin: JupyterFrontEndPlugin<void> = {
  id: PLUGIN,
  description: 'Flow documents on a canvas, and the project’s workflows, executions and webhooks.',
  autoStart: true,
  optional: [ICommandPalette, ILauncher, ILayoutRestorer, ILabShell, ISettingRegistry, INotebookTracker, IDefaultFileBrowser, IDocumentManager],
  activate: (
    app: JupyterFrontEnd,
    palette: ICommandPalette | null,
    launcher: ILauncher | null,
    restorer: ILayoutRestorer | null,
    lab: ILabShell | null,
    registry: ISettingRegistry | null,
    notebooks: INotebookTracker | null,
    browser: IDefaultFileBrowser | null,
    manager: IDocumentManager | null,
  ) => {
    const settings = new Settings();
    if (registry) settings.follow(registry).catch((error: unknown) => console.error('nbflow: no settings', error));
    const server = new Server(app.serviceManager.serverSettings);
    const documents = addDocuments(app, settings);
    addDocumentCommands(app, browser, launcher, manager);
    if (restorer) void restorer.restore(documents, { command: 'docmanager:open', args: ({ context }) => ({ path: context.path, factory: FACTORY }), name: ({ context }) => context.path });

    const panel = new FlowPanel(app.commands);
    const project = new Project(server, () => panel.isVisible, settings.refreshSeconds);
    settings.changed.connect(() => (project.seconds = settings.refreshSeconds));
    panel.fill(project, (name, args) => void app.commands.execute(Command[name], args));
    panel.shown.connect(() => project.refresh());

    addExecutionCommands(app, project, documents, settings);
    if (notebooks) addCellCommand(app, notebooks, server);
    app.commands.addCommand(Command.panel, {
      label: 'Show Flows',
      caption: 'Workflows, executions and webhooks of the project',
      execute: () => app.shell.activateById(panel.id),
    });
    app.commands.addCommand(Command.settings, {
      label: 'Flow Settings',
      icon: settingsIcon,
      isVisible: () => app.commands.hasCommand('settingeditor:open'),
      execute: () => app.commands.execute('settingeditor:open', { query: 'Flow' }),
    });
    if (palette) addToPalette(palette);
    app.shell.add(panel, 'left', { rank: 310, type: 'Flows' });
    if (lab) restorer?.add(panel, panel.id);
  },
};

export default plugin;
