import { useEffect, useState } from 'react';
import { Button } from './Button';
import { useCanvas } from './context';
import { useStore } from './store';

const PAUSE_MS = 400;

/** The flow as the decorators would write it. Follows the drawing. */
export function CodeView(): React.JSX.Element {
  const { host, editor, view } = useCanvas();
  const flow = useStore(editor.flow);
  const [source, setSource] = useState<string | null>(null);
  const [error, setError] = useState<string | null>(null);
  // positions are no code: moving a node asks nothing
  const { nodes, edges, name, rest } = flow;
  useEffect(() => {
    let current = true;
    const timer = setTimeout(
      () => {
        host.ask('code', {}).then(
          (answer) => {
            if (!current) return;
            setSource(answer.source);
            setError(null);
          },
          (problem: Error) => current && setError(problem.message),
        );
      },
      source === null ? 0 : PAUSE_MS,
    );
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [host, nodes, edges, name, rest]);
  const copy = (): void => {
    void navigator.clipboard?.writeText(source ?? '').then(
      () => view.tell('The code is copied.'),
      () => view.tell('The browser does not let the code be copied here: select it.', 'error'),
    );
  };
  return (
    <div className="nbf-code-view">
      {error ? <p className="nbf-callout nbf-callout-wrong">{error}</p> : null}
      {source === null ? error ? null : <p className="nbf-about" role="status">Loading…</p> : (
        <>
          <div className="nbf-section-head">
            <span className="nbf-grow nbf-muted">Python</span>
            <Button small sign="copy" text="Copy" label="Copy the code" onClick={copy} />
          </div>
          <pre className="nbf-pre nbf-source" tabIndex={0} aria-label="The flow as Python">{source}</pre>
        </>
      )}
    </div>
  );
}
