/** React's side of the status store. */

import { useCallback, useSyncExternalStore } from 'react';
import { useCanvas } from './context';
import type { ExecutionStatus, NodeStatus } from './statuses';

export function useStatus(id: string): NodeStatus {
  const { statuses } = useCanvas().host;
  return useSyncExternalStore(
    useCallback((listener: () => void) => statuses.watch(id, listener), [statuses, id]),
    () => statuses.get(id),
  );
}

export function useExecution(): ExecutionStatus | null {
  const { statuses } = useCanvas().host;
  return useSyncExternalStore(statuses.watchAll, statuses.execution);
}
