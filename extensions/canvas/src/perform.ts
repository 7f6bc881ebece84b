/** The actions by name, as keys and buttons call them. */

import type { Actions } from './actions';
import { nodeOf } from './document';
import { firstInput, firstOutput } from './geometry';
import type { ActionName } from './keys';
import { GRID } from './sizes';
import type { From } from './view';

export function perform(actions: Actions, action: ActionName): void {
  const { view } = actions;
  const current = view.current.get();
  const node = nodeOf(actions.drawing().flow, current);
  switch (action) {
    case 'help': return view.help.update((shown) => !shown);
    case 'palette': return view.palette.update((shown) => !shown);
    case 'panel': return view.panel.update((shown) => !shown);
    case 'add': return actions.ask();
    case 'next': return node ? askBeside(actions, node.id, 'out') : actions.ask();
    case 'before': return node ? askBeside(actions, node.id, 'in') : actions.ask();
    case 'open': return open(actions);
    case 'close': return close(actions);
    case 'rename': return rename(actions, current);
    case 'remove': return actions.removeSelected();
    case 'copy': return void actions.copy();
    case 'cut': return void actions.copy().then(() => actions.removeSelected());
    case 'paste': return void actions.paste();
    case 'duplicate': return actions.duplicate();
    case 'selectAll': return view.select([...actions.drawing().flow.nodes.map(({ id }) => id), ...Object.keys(actions.drawing().flow.notes)]);
    case 'undo': return actions.undo();
    case 'redo': return actions.redo();
    case 'link': return startLink(actions, node?.id ?? null);
    case 'disable': return actions.toggle();
    case 'group': return actions.group();
    case 'note': return actions.note();
    case 'layout': return actions.layout();
    case 'fit': return actions.stage.fit();
    case 'zoomIn': return actions.stage.zoom('in');
    case 'zoomOut': return actions.stage.zoom('out');
    case 'zoomFull': return actions.stage.zoom('full');
    case 'run': return actions.run('run');
    case 'runTo': return actions.run('run_to');
    case 'runNode': return actions.run('run_node');
    case 'stop': return actions.can('stop') ? actions.editor.host.command({ name: 'stop' }) : undefined;
    case 'pin': return actions.pin();
    case 'problem': return actions.nextProblem();
    case 'left':
    case 'right':
    case 'up':
    case 'down': return actions.walk(action);
    case 'nudgeLeft': return actions.nudge(-GRID, 0);
    case 'nudgeRight': return actions.nudge(GRID, 0);
    case 'nudgeUp': return actions.nudge(0, -GRID);
    case 'nudgeDown': return actions.nudge(0, GRID);
    case 'save': return actions.can('save') ? actions.editor.host.command({ name: 'save' }) : undefined;
  }
}

/** Where the name is changed is in the panel, so that has to be there. */
function rename(actions: Actions, id: string | null): void {
  if (id === null || actions.readonly) return;
  if (!actions.drawing().flow.notes[id]) actions.view.panel.set(true);
  actions.view.renaming.set(id);
}

function askBeside(actions: Actions, node: string, way: From['way']): void {
  const port = way === 'out' ? firstOutput(actions.drawing(), node) : firstInput(actions.drawing(), node);
  if (port) actions.ask({ from: { node, port, way } });
  else actions.view.tell(way === 'out' ? `${node} gives no output.` : `${node} takes no input.`, 'error');
}

function startLink(actions: Actions, node: string | null): void {
  if (node === null || actions.readonly) return;
  actions.view.linking.set(node);
  actions.view.tell(`Connect ${node} to… arrows choose a node, Enter connects, Esc stops.`);
}

function open(actions: Actions): void {
  const { view } = actions;
  const [source, target] = [view.linking.get(), view.current.get()];
  if (source === null) {
    if (target === null) return;
    if (actions.drawing().flow.notes[target]) view.renaming.set(target);
    else view.wide.set(true);
    return;
  }
  view.linking.set(null);
  view.toast.set(null);
  if (target === null || target === source) return;
  const drawing = actions.drawing();
  const output = firstOutput(drawing, source);
  const input = nodeOf(drawing.flow, source)?.parent === target ? 'result' : firstInput(drawing, target);
  if (nodeOf(drawing.flow, target)?.parent === source && input) actions.join({ source, source_port: 'item', target, target_port: input });
  else if (output && input) actions.join({ source, source_port: output, target, target_port: input });
  else view.tell(output ? `${target} takes no input.` : `${source} gives no output.`, 'error');
  view.select([target]);
}

/** One thing at a time, the innermost first. */
export function close(actions: Actions): void {
  const { view } = actions;
  if (view.help.get()) view.help.set(false);
  else if (view.adding.get()) view.adding.set(null);
  else if (view.linking.get()) view.linking.set(null);
  else if (view.renaming.get()) view.renaming.set(null);
  else if (view.wide.get()) view.wide.set(false);
  else if (view.flowPanel.get()) view.flowPanel.set(false);
  else view.select([]);
  view.toast.set(null);
  actions.stage.focus();
}
