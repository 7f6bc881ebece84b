/** What a node took in and gave, asked of the host when it changed. */

import { useEffect, useState, useSyncExternalStore, useCallback } from 'react';
import { useCanvas } from './context';
import type { Host, NodeRecord } from './host';
import { useStore } from './store';

export interface Recorded {
  record: NodeRecord | null;
  loading: boolean;
  error: string | null;
}

export function useRecord(node: string): Recorded {
  const { host, view, actions } = useCanvas();
  const execution = useStore(view.execution);
  const past = useStore(host.executions);
  const can = actions.can('inspect');
  // asked again when the node ends, not at every step of its progress
  const moment = useSyncExternalStore(
    useCallback((listener: () => void) => host.statuses.watch(node, listener), [host, node]),
    () => `${host.statuses.get(node).status}|${host.statuses.execution()?.id ?? ''}`,
  );
  const newest = past[0]?.id;
  const [state, setState] = useState<Recorded & { node: string }>({ node, record: null, loading: can, error: null });
  useEffect(() => {
    if (!can) return undefined;
    let current = true;
    setState((before) => ({ ...before, node, record: before.node === node ? before.record : null, loading: true }));
    asked(host, node, execution, `${moment}|${newest ?? ''}`).then(
      (record) => current && setState({ node, record, loading: false, error: null }),
      (error: Error) => current && setState({ node, record: null, loading: false, error: error.message }),
    );
    return () => {
      current = false;
    };
  }, [can, host, node, execution, moment, newest]);
  return state.node === node ? state : { record: null, loading: can, error: null };
}

const last = new WeakMap<Host, { key: string; answer: Promise<NodeRecord | null> }>();

/** Input and output stand side by side and want the same record: one question. */
function asked(host: Host, node: string, execution: string | null, moment: string): Promise<NodeRecord | null> {
  const key = `${node}|${execution ?? ''}|${moment}`;
  const known = last.get(host);
  if (known?.key === key) return known.answer;
  const answer = host.ask('inspect', { node, execution_id: execution });
  last.set(host, { key, answer });
  // a question that failed may be asked again
  answer.catch(() => last.delete(host));
  return answer;
}
