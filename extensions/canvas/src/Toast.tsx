import { useEffect, useRef } from 'react';
import { Button } from './Button';
import { useCanvas } from './context';
import { useStore } from './store';

const INFO_MS = 6_000;

/** A line over the drawing: what just happened, and what the host has to say. Errors stay until they are closed. */
export function ToastLine(): React.JSX.Element | null {
  const { host, view, actions } = useCanvas();
  const toast = useStore(view.toast);
  const linking = useStore(view.linking);
  const notice = useStore(host.notice);
  useEffect(() => {
    if (!toast || toast.tone === 'error' || linking !== null) return undefined;
    const timer = setTimeout(() => view.toast.set(null), INFO_MS);
    return () => clearTimeout(timer);
  }, [toast, linking, view]);
  useEffect(() => {
    if (notice) view.tell(notice, 'error');
  }, [notice, view]);
  if (!toast) return null;
  return (
    <div className={`nbf-toast nbf-toast-${toast.tone}`}>
      <span className="nbf-grow">{toast.text}</span>
      {toast.undo ? <Button small tone="line" text="Undo" label="Undo" action="undo" onClick={() => actions.undo()} /> : null}
      <Button small sign="close" label="Close the message" onClick={() => view.toast.set(null)} />
    </div>
  );
}

/** What screen readers are told: each action's outcome, and how an execution ended. Not each node: that would be no reading. */
export function Live(): React.JSX.Element {
  const { host, view } = useCanvas();
  const spoken = useStore(view.spoken);
  const last = useRef('');
  useEffect(
    () =>
      host.statuses.watchAll(() => {
        const execution = host.statuses.execution();
        const now = execution ? `${execution.id} ${execution.status}` : '';
        if (now === last.current) return;
        const first = last.current === '';
        last.current = now;
        if (!execution || first || execution.status === 'running') return;
        view.say(`Execution ${execution.status}${execution.error_node ? ` at ${execution.error_node}: ${execution.error ?? ''}` : ''}`);
      }),
    [host, view],
  );
  return (
    <div className="nbf-live" role="status" aria-live="polite">
      {spoken}
    </div>
  );
}
