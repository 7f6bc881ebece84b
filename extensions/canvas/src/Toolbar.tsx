import { Button } from './Button';
import { useCanvas } from './context';
import { ExecutionPicker } from './ExecutionPicker';
import { StatusMark } from './Icon';
import { useExecution } from './status';
import { useStore } from './store';

/** Above the drawing: what concerns the flow as a whole. */
export function Toolbar(): React.JSX.Element {
  const { host, editor, view, actions } = useCanvas();
  const flow = useStore(editor.flow);
  const steps = useStore(editor.steps);
  const options = useStore(host.options);
  const palette = useStore(view.palette);
  const panel = useStore(view.panel);
  const help = useStore(view.help);
  const flowPanel = useStore(view.flowPanel);
  const problems = useStore(host.checked).problems.length;
  return (
    <div className="nbf-toolbar" role="toolbar" aria-label="Flow">
      {options.readonly ? null : (
        <>
          <Button sign="list" label="List of node types" action="palette" pressed={palette} onClick={() => view.palette.update((shown) => !shown)} />
          <Button sign="plus" label="Add a node" action="add" onClick={() => actions.ask()} />
          <span className="nbf-divider" />
        </>
      )}
      <button type="button" className="nbf-flow-name" title="About the flow" aria-pressed={flowPanel} onClick={() => (flowPanel ? view.flowPanel.set(false) : actions.showFlow('flow'))}>
        {flow.name}
      </button>
      {options.readonly ? <span className="nbf-tag">read only</span> : null}
      {options.readonly ? null : (
        <>
          <span className="nbf-divider" />
          <Button sign="undo" label={steps.undo ? `Undo: ${steps.undo}` : 'Nothing to undo'} action="undo" disabled={!steps.undo} onClick={() => actions.undo()} />
          <Button sign="redo" label={steps.redo ? `Do again: ${steps.redo}` : 'Nothing to do again'} action="redo" disabled={!steps.redo} onClick={() => actions.redo()} />
          <Button sign="layout" label="Lay out automatically" action="layout" disabled={!flow.nodes.length} onClick={() => actions.layout()} />
          <Button sign="note" label="Add a sticky note" action="note" onClick={() => actions.note()} />
        </>
      )}
      <span className="nbf-grow" />
      {problems ? <Button sign="warn" tone="danger" text={String(problems)} label={`${problems} problem${problems > 1 ? 's' : ''}: go to the next`} action="problem" onClick={() => actions.nextProblem()} /> : null}
      <RunState />
      <ExecutionPicker />
      {actions.can('code') ? <Button sign="code" label="The flow as Python code" onClick={() => actions.showFlow('code')} /> : null}
      {actions.can('save') && !options.readonly ? <Button sign="save" label="Save" onClick={() => host.command({ name: 'save' })} /> : null}
      <Button sign="panel" label="Panel beside the drawing" action="panel" pressed={panel} onClick={() => view.panel.set(!panel)} />
      <Button sign="help" label="Keys" action="help" pressed={help} onClick={() => view.help.update((shown) => !shown)} />
      <RunButton empty={!flow.nodes.length} />
    </div>
  );
}

function RunButton({ empty }: { empty: boolean }): React.JSX.Element | null {
  const { host, actions } = useCanvas();
  const execution = useExecution();
  const runs = execution !== null && (execution.status === 'running' || execution.status === 'waiting' || execution.status === 'pending');
  if (runs && actions.can('stop')) return <Button tone="danger" sign="stop" text="Stop" label="Stop the execution" action="stop" onClick={() => host.command({ name: 'stop' })} />;
  if (!actions.can('run')) return null;
  return <Button tone="primary" sign="play" text="Run" label="Run all" action="run" disabled={empty || runs} onClick={() => actions.run('run')} />;
}

function RunState(): React.JSX.Element | null {
  const { view, actions } = useCanvas();
  const execution = useExecution();
  if (!execution) return null;
  const { status, done, total, elapsed, error, error_node: at } = execution;
  const running = status === 'running' && done !== undefined && Boolean(total);
  const show = (): void => {
    if (!at) return;
    view.select([at]);
    view.tab.set('data');
    view.panel.set(true);
    actions.stage.reveal(at);
  };
  return (
    <button type="button" className={`nbf-run-state nbf-run-${status}`} title={error ?? status} disabled={!at} onClick={show}>
      <StatusMark status={status} />
      <span className="nbf-run-word">{running ? `${done}/${total}` : status === 'failed' && at ? `failed at ${at}` : status}</span>
      {elapsed ? <span className="nbf-muted">{elapsed}</span> : null}
      {running ? (
        <span className="nbf-run-bar" aria-hidden="true">
          <span className="nbf-run-part" style={{ width: `${(100 * (done ?? 0)) / (total || 1)}%` }} />
        </span>
      ) : null}
    </button>
  );
}
