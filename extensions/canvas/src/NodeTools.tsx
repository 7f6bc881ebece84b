import { useCanvas } from './context';
import { Button } from './Button';
import { useStore } from './store';

/** The small bar over a selected node. The same is on keys and in the panel, so it is no stop of the Tab key's order before them. */
export function NodeTools({ id, disabled, pinned }: { id: string; disabled: boolean; pinned: boolean }): React.JSX.Element | null {
  const { actions, view } = useCanvas();
  const selected = useStore(view.selected);
  if (selected.size !== 1) return null;
  return (
    <div className="nbf-tools nodrag nopan" role="toolbar" aria-label={`${id}: tools`} onDoubleClick={(event) => event.stopPropagation()}>
      {actions.can('run_node') ? <Button small sign="play" label="Run only this node" action="runNode" onClick={() => actions.run('run_node', id)} /> : null}
      {actions.can('run_to') ? <Button small sign="playTo" label="Run to here" action="runTo" onClick={() => actions.run('run_to', id)} /> : null}
      {actions.can('pin') ? <Button small sign="pin" label={pinned ? 'Unpin the output' : 'Pin the output'} action="pin" pressed={pinned} onClick={() => actions.pin(id)} /> : null}
      {actions.readonly ? null : (
        <>
          <Button small sign="disable" label={disabled ? 'Enable' : 'Disable'} action="disable" pressed={disabled} onClick={() => actions.toggle(new Set([id]))} />
          <Button small sign="copy" label="Duplicate" action="duplicate" onClick={() => actions.duplicate()} />
          <Button small sign="trash" label="Delete" action="remove" onClick={() => actions.removeSelected()} />
        </>
      )}
      <Button small sign="wide" label="Open" action="open" onClick={() => view.wide.set(true)} />
    </div>
  );
}
