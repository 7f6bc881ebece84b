/** `*.flow.json` opens on the canvas. */

import type { JupyterFrontEnd } from '@jupyterlab/application';
import { WidgetTracker, type ICommandPalette } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import { FileDialog, type IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import type { ILauncher } from '@jupyterlab/launcher';
import type { IDocumentManager } from '@jupyterlab/docmanager';
import { FlowFactory, type FlowWidget } from './document/FlowWidget';
import { newFlow, textOf } from './document/text';
import { flowIcon } from './icons';
import { CATEGORY, Command, EXTENSION, FACTORY, FILE_TYPE } from './names';
import type { Settings } from './settings';

export type FlowTracker = WidgetTracker<FlowWidget>;

/** The file type, its canvas, and a tracker of open documents. */
export function addDocuments(app: JupyterFrontEnd, settings: Settings): FlowTracker {
  const tracker: FlowTracker = new WidgetTracker({ namespace: 'nbflow-flows' });
  app.docRegistry.addFileType({
    name: FILE_TYPE,
    displayName: 'Flow',
    extensions: [EXTENSION],
    mimeTypes: ['application/x-nbflow+json'],
    fileFormat: 'text',
    contentType: 'file',
    icon: flowIcon,
  });
  const factory = new FlowFactory(
    { name: FACTORY, label: 'Flow canvas', modelName: 'text', fileTypes: [FILE_TYPE], defaultFor: [FILE_TYPE] },
    app.serviceManager.serverSettings,
    { saveBeforeRun: () => settings.saveBeforeRun },
  );
  factory.widgetCreated.connect((_, widget) => {
    widget.context.pathChanged.connect(() => void tracker.save(widget));
    void tracker.add(widget);
  });
  app.docRegistry.addWidgetFactory(factory);
  return tracker;
}

/** Commands that make and open documents, in launcher and palette. */
export function addDocumentCommands(app: JupyterFrontEnd, browser: IDefaultFileBrowser | null, launcher: ILauncher | null, manager: IDocumentManager | null): void {
  const { commands, serviceManager } = app;
  commands.addCommand(Command.new, {
    label: (args) => (args['isPalette'] ? 'New Flow' : 'Flow'),
    caption: 'Make a new flow and open it on the canvas',
    icon: (args) => (args['isPalette'] ? undefined : flowIcon),
    describedBy: { args: { type: 'object', properties: { cwd: { type: 'string' } } } },
    execute: async (args) => {
      const path = typeof args['cwd'] === 'string' ? args['cwd'] : (browser?.model.path ?? '');
      const { path: made } = await serviceManager.contents.newUntitled({ path, type: 'file', ext: EXTENSION });
      await serviceManager.contents.save(made, { type: 'file', format: 'text', content: textOf(newFlow(made)) });
      return commands.execute('docmanager:open', { path: made, factory: FACTORY });
    },
  });
  commands.addCommand(Command.open, {
    label: 'Open Flow…',
    caption: 'Open a *.flow.json on the canvas',
    isEnabled: () => manager !== null,
    describedBy: { args: { type: 'object', properties: { path: { type: 'string' } } } },
    execute: async (args) => {
      const path = typeof args['path'] === 'string' ? args['path'] : manager && (await ask(manager));
      return path ? commands.execute('docmanager:open', { path, factory: FACTORY }) : undefined;
    },
  });
  launcher?.add({ command: Command.new, category: 'Other', rank: 1 });
}

async function ask(manager: IDocumentManager): Promise<string | null> {
  const { value } = await FileDialog.getOpenFiles({ manager, title: 'Open a flow', filter: ({ type, path }) => (type === 'directory' || path.endsWith(EXTENSION) ? {} : null) });
  const [chosen] = value ?? [];
  return chosen && PathExt.extname(chosen.path) ? chosen.path : null;
}

export function addToPalette(palette: ICommandPalette): void {
  for (const command of Object.values(Command)) {
    if (command === Command.execution || command === Command.workflow) continue; // nobody types an id
    palette.addItem({ command, category: CATEGORY, args: { isPalette: true } });
  }
}
