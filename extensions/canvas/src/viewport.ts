/** Where the drawing is looked at from: the first viewport, and what the actions need of it. */

import { getViewportForBounds, useReactFlow, useStore as useFlowStore, type Viewport } from '@xyflow/react';
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';
import type { Attached } from './Canvas';
import { useCanvas } from './context';
import type { Point } from './document';
import type { Drawing } from './geometry';
import { absolute } from './layout';
import { MAX_FIT, MIN_ZOOM, MINIMAP_FROM, READABLE } from './sizes';

const PADDING = 0.08; // around what is fitted, as a share
const START_MARGIN = 28;

interface Start {
  viewport: Viewport;
  placed: boolean; // it shows the flow; else there was no size yet, or nothing to show
}

/** The first viewport, known before anything is drawn; null until the pane has been measured. */
export function useStart(root: React.RefObject<HTMLDivElement>, drawing: Drawing): Start | null {
  const [start, setStart] = useState<Start | null>(null);
  const first = useRef(drawing);
  useLayoutEffect(() => {
    const { clientWidth, clientHeight } = root.current ?? { clientWidth: 0, clientHeight: 0 };
    const viewport = beginning(first.current, clientWidth, clientHeight);
    setStart({ viewport: viewport ?? { x: 0, y: 0, zoom: 1 }, placed: viewport !== null });
  }, [root]);
  return start;
}

/** The first picture shall be readable: a long flow then shows how it begins. `f` shows all of it. */
function beginning(drawing: Drawing, width: number, height: number): Viewport | null {
  const bounds = boundsOf(drawing);
  if (!bounds || !width || !height) return null;
  const whole = getViewportForBounds(bounds, width, height, MIN_ZOOM, MAX_FIT, PADDING);
  if (whole.zoom >= READABLE || drawing.flow.nodes.length > MINIMAP_FROM) return whole;
  const spare = (height - bounds.height * READABLE) / 2;
  return { zoom: READABLE, x: START_MARGIN - bounds.x * READABLE, y: Math.max(spare, START_MARGIN) - bounds.y * READABLE };
}

/** Lends the viewport to the actions. Where the first viewport did not show the flow, it is fitted later. */
export function useStage(attached: Attached, root: React.RefObject<HTMLDivElement>, drawing: Drawing, placed: boolean): void {
  const { view } = useCanvas();
  const { getViewport, setViewport, setCenter, zoomIn, zoomOut, zoomTo } = useReactFlow();
  const width = useFlowStore((state) => state.width);
  const height = useFlowStore((state) => state.height);
  const latest = useRef({ drawing, width, height });
  latest.current = { drawing, width, height };
  const fitted = useRef(false);

  const fit = useCallback(() => {
    const { drawing, width, height } = latest.current;
    const bounds = boundsOf(drawing);
    if (!bounds || !width || !height) return;
    void setViewport(getViewportForBounds(bounds, width, height, MIN_ZOOM, MAX_FIT, PADDING));
  }, [setViewport]);

  useEffect(() => {
    const { length } = drawing.flow.nodes;
    if (fitted.current || !width || !height || !length) return;
    fitted.current = true;
    const whole = beginning(drawing, width, height);
    // a first node stays where it was put
    if (!placed && length > 1 && whole) void setViewport(whole);
  }, [setViewport, width, height, drawing, placed]);

  // a panel that opens must not hide the node that it is about
  useEffect(() => {
    const current = view.current.get();
    if (fitted.current && current !== null && width) attached.stage?.reveal(current);
  }, [attached, view, width]);

  useEffect(() => {
    const toFlow = ([x, y]: Point): Point => {
      const { x: left, y: top, zoom } = getViewport();
      return [(x - left) / zoom, (y - top) / zoom];
    };
    attached.stage = {
      fit,
      zoom: (way) => void (way === 'in' ? zoomIn() : way === 'out' ? zoomOut() : zoomTo(1)),
      reveal: (id) => {
        const { drawing, width, height } = latest.current;
        const box = drawing.boxes.get(id);
        if (!box) return;
        const [x, y] = absolute(drawing.flow, drawing.boxes, id);
        const viewport = getViewport();
        const [left, top] = [x * viewport.zoom + viewport.x, y * viewport.zoom + viewport.y];
        const inside = left >= 0 && top >= 0 && left + box.width * viewport.zoom <= width && top + Math.min(box.height, 100) * viewport.zoom <= height;
        if (!inside) void setCenter(x + box.width / 2, y + box.height / 2, { zoom: viewport.zoom, duration: 150 });
      },
      centre: () => toFlow([latest.current.width / 2, latest.current.height / 2]),
      toScreen: ([x, y]) => {
        const viewport = getViewport();
        return [x * viewport.zoom + viewport.x, y * viewport.zoom + viewport.y];
      },
      focus: () => root.current?.focus({ preventScroll: true }),
    };
    return () => {
      attached.stage = null;
    };
  }, [attached, fit, getViewport, root, setCenter, zoomIn, zoomOut, zoomTo]);
}

function boundsOf({ flow, boxes }: Drawing): { x: number; y: number; width: number; height: number } | null {
  const all = flow.nodes.filter((node) => node.parent === null).flatMap((node) => boxes.get(node.id) ?? []);
  for (const note of Object.values(flow.notes)) all.push({ x: note.box[0], y: note.box[1], width: note.box[2], height: note.box[3] });
  if (!all.length) return null;
  const x = Math.min(...all.map((box) => box.x));
  const y = Math.min(...all.map((box) => box.y));
  return { x, y, width: Math.max(...all.map((box) => box.x + box.width)) - x, height: Math.max(...all.map((box) => box.y + box.height)) - y };
}
