/** A node of the catalogue as a code cell of the notebook that is open. */

import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { NotebookActions, type INotebookTracker } from '@jupyterlab/notebook';
import { pickNodeType } from './dialogs/pick';
import { flowIcon } from './icons';
import { Command } from './names';
import { messageOf, type Server } from './server';
import { snippetOf } from './snippet';

export function addCellCommand(app: JupyterFrontEnd, notebooks: INotebookTracker, server: Server): void {
  const { commands } = app;
  commands.addCommand(Command.insert, {
    label: 'Insert Node as Code Cell…',
    caption: 'Pick a node of the catalogue and insert it below the active cell',
    icon: flowIcon,
    isEnabled: () => notebooks.currentWidget !== null,
    describedBy: { args: { type: 'object', properties: { type: { type: 'string' } } } },
    execute: async (args) => {
      const panel = notebooks.currentWidget;
      if (!panel) return;
      try {
        const type = typeof args['type'] === 'string' ? args['type'] : (await pickNodeType((await server.nodeTypes()).filter(({ container }) => !container)))?.type;
        if (type === undefined) return;
        const source = snippetOf(await server.nodeType(type));
        NotebookActions.insertBelow(panel.content);
        panel.content.activeCell?.model.sharedModel.setSource(source);
        panel.content.mode = 'edit';
      } catch (error) {
        Notification.error(messageOf(error));
      }
    },
  });
  notebooks.currentChanged.connect(() => commands.notifyCommandChanged(Command.insert));
}
