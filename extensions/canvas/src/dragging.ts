/** What is dragged over the drawing: nodes and the corners of notes, which move at once and are written when they are let go; node types from the list. */

import { useReactFlow, type NodeChange } from '@xyflow/react';
import { useCallback, useState } from 'react';
import { loopUnder } from './connecting';
import { useCanvas } from './context';
import type { Point } from './document';
import type { Drawing } from './geometry';
import type { CanvasNode } from './graph';
import { absolute } from './layout';
import { CARD_HEIGHT, CARD_WIDTH, type Size } from './sizes';

export const DRAGGED_TYPE = 'application/x-nbflow-type';

interface Dragging {
  dragged: ReadonlyMap<string, Point>;
  resized: ReadonlyMap<string, Size>;
  onNodesChange: (changes: NodeChange<CanvasNode>[]) => void;
  onDragStop: (event: unknown, node: unknown, all: CanvasNode[]) => void;
}

/** `additive`: whether the pointer went down with a key that adds to the selection. */
export function useDragging(drawing: Drawing, additive: React.MutableRefObject<boolean>): Dragging {
  const { view, actions } = useCanvas();
  const { flow } = drawing;
  const [dragged, setDragged] = useState<ReadonlyMap<string, Point>>(new Map());
  const [resized, setResized] = useState<ReadonlyMap<string, Size>>(new Map());

  const onNodesChange = useCallback(
    (changes: NodeChange<CanvasNode>[]) => {
      const moved = new Map<string, Point>();
      const sizes = new Map<string, Size>();
      let chosen: Set<string> | null = null;
      let last: string | null | undefined;
      for (const change of changes) {
        if (change.type === 'position' && change.position && change.dragging) moved.set(change.id, [change.position.x, change.position.y]);
        else if (change.type === 'dimensions' && change.resizing && change.dimensions) sizes.set(change.id, change.dimensions);
        else if (change.type === 'dimensions' && change.resizing === false) setResized(new Map());
        else if (change.type === 'select') {
          chosen ??= new Set(view.selected.get());
          if (change.selected) chosen.add((last = change.id));
          else if (!additive.current) chosen.delete(change.id);
        }
      }
      if (moved.size) setDragged((before) => new Map([...before, ...moved]));
      if (sizes.size) setResized((before) => new Map([...before, ...sizes]));
      if (chosen) view.select(chosen, last);
    },
    [view, additive],
  );

  const onDragStop = useCallback(
    (_: unknown, __: unknown, all: CanvasNode[]) => {
      const points: Record<string, Point> = {};
      for (const node of all) points[node.id] = [node.position.x, node.position.y];
      const before = drawing.boxes;
      const changed = Object.entries(points).some(([id, [x, y]]) => {
        const box = before.get(id) ?? { x: flow.notes[id]?.box[0], y: flow.notes[id]?.box[1] };
        return Math.abs((box.x ?? 0) - x) > 1 || Math.abs((box.y ?? 0) - y) > 1;
      });
      if (changed) actions.drop(points);
      setDragged(new Map());
    },
    [actions, drawing, flow],
  );

  return { dragged, resized, onNodesChange, onDragStop };
}

/** A type from the list, dropped where its node shall be: on an edge it comes between, in a loop it is inside. */
export function useTypeDrop(root: React.RefObject<HTMLElement>): (event: React.DragEvent) => void {
  const { actions } = useCanvas();
  const { screenToFlowPosition } = useReactFlow();
  return (event) => {
    const type = event.dataTransfer.getData(DRAGGED_TYPE);
    if (!type) return;
    event.preventDefault();
    const drawing = actions.drawing();
    const { x, y } = screenToFlowPosition({ x: event.clientX, y: event.clientY });
    const edge = event.target instanceof Element ? event.target.closest('.react-flow__edge')?.getAttribute('data-id') : null;
    const parent = loopUnder(drawing, [x, y]);
    const [left, top] = parent === null ? [0, 0] : absolute(drawing.flow, drawing.boxes, parent);
    actions.add(type, { at: [x - CARD_WIDTH / 2 - left, y - CARD_HEIGHT / 2 - top], parent, edge: edge ?? null });
    root.current?.focus();
  };
}
