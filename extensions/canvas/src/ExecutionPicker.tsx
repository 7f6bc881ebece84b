import { useCanvas } from './context';
import { moment } from './NodeData';
import { useStore } from './store';

/** Which execution is looked at: the newest, or an earlier one. */
export function ExecutionPicker(): React.JSX.Element | null {
  const { host, view, actions } = useCanvas();
  const past = useStore(host.executions);
  const shown = useStore(view.execution);
  if (!actions.can('executions') || !past.length) return null;
  return (
    <select className="nbf-input nbf-picker" aria-label="Execution that is shown" value={shown ?? ''} onChange={(event) => actions.showExecution(event.target.value || null)}>
      <option value="">Newest execution</option>
      {past.map(({ id, status, started_at, duration }) => (
        <option key={id} value={id}>
          {moment(started_at)} · {status}
          {duration ? ` · ${duration}` : ''}
        </option>
      ))}
    </select>
  );
}
