/** Lines that are drawn from a port and dropped on something that is no port. */

import { useReactFlow, type FinalConnectionState } from '@xyflow/react';
import { useCallback } from 'react';
import { useCanvas } from './context';
import { nodeOf, type Point } from './document';
import { firstInput, firstOutput, type Drawing } from './geometry';
import { absolute } from './layout';

/** A line dropped on a node's body goes to its first free port; dropped on nothing it asks what comes next. */
export function useConnectEnd(root: React.RefObject<HTMLDivElement>): (event: MouseEvent | TouchEvent, state: FinalConnectionState) => void {
  const { actions } = useCanvas();
  const { screenToFlowPosition } = useReactFlow();
  return useCallback(
    (event, state) => {
      const { fromNode, fromHandle } = state;
      if (state.isValid || !fromNode || !fromHandle?.id) return;
      const point = 'changedTouches' in event ? event.changedTouches[0] : event;
      if (!point) return;
      const way = fromHandle.type === 'source' ? 'out' : 'in';
      const under = root.current?.getRootNode() as Document | ShadowRoot | undefined;
      const hit = under?.elementFromPoint(point.clientX, point.clientY)?.closest<HTMLElement>('.react-flow__node:not(.react-flow__node-note)');
      const other = hit?.dataset['id'];
      const drawing = actions.drawing();
      const isRoom = other !== undefined && drawing.isLoop(other) && !hit?.querySelector('.nbf-loop-head')?.contains(under?.elementFromPoint(point.clientX, point.clientY) ?? null);
      if (other !== undefined && other !== fromNode.id && !isRoom) {
        const [source, target] = way === 'out' ? [fromNode.id, other] : [other, fromNode.id];
        const source_port = way === 'out' ? fromHandle.id : firstOutput(drawing, other);
        const target_port = way === 'out' ? (state.toHandle?.id ?? firstInput(drawing, other)) : fromHandle.id;
        if (source_port && target_port) actions.join({ source, source_port, target, target_port });
        return;
      }
      const { x, y } = screenToFlowPosition({ x: point.clientX, y: point.clientY });
      const from = { node: fromNode.id, port: fromHandle.id, way } as const;
      const parent = isRoom && other !== undefined && nodeOf(drawing.flow, other) ? other : (nodeOf(drawing.flow, fromNode.id)?.parent ?? null);
      const [left, top] = parent === null ? [0, 0] : absolute(drawing.flow, drawing.boxes, parent);
      actions.ask({ at: [x - left - (way === 'out' ? 0 : 200), y - top - 27], from, parent });
    },
    [actions, root, screenToFlowPosition],
  );
}

/** The loop that a point on the whole drawing is in. */
export function loopUnder(drawing: Drawing, [x, y]: Point): string | null {
  for (const node of [...drawing.flow.nodes].reverse()) {
    const box = drawing.boxes.get(node.id);
    if (!box || !drawing.isLoop(node.id)) continue;
    const [left, top] = absolute(drawing.flow, drawing.boxes, node.id);
    if (x >= left && x <= left + box.width && y >= top && y <= top + box.height) return node.id;
  }
  return null;
}
