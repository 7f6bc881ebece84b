/** Sizes in pixels; those of display/layout.py, so that a layout made there fits here. */

import type { Ports } from './catalogue';

export const CARD_WIDTH = 200;
export const CARD_HEIGHT = 54;
export const PORT_STEP = 20; // between ports of one side
export const LOOP_PADDING = { top: 46, right: 34, bottom: 22, left: 34 };
export const LOOP_MIN = { width: 280, height: 130 };
export const GAP_X = 64;
export const GAP_Y = 26;
export const GRID = 10;
export const DOT_ZOOM = 0.35; // below, a node is one coloured box: measured to be what keeps 500 live nodes fluent
export const MIN_ZOOM = 0.04;
export const MAX_FIT = 1; // what fits is not made bigger
export const READABLE = 0.65; // zoom under which a card's small text is hard to read
export const MINIMAP_FROM = 40; // under, it only covers nodes
export const MINIMAP_TO = 600; // over, it costs more than it tells
export const NOTE_SIZE = { width: 200, height: 110 };

export interface Size {
  width: number;
  height: number;
}

export function cardSize(ports: Ports): Size {
  const most = Math.max(ports.inputs.length, ports.outputs.length);
  return { width: CARD_WIDTH, height: Math.max(CARD_HEIGHT, most * PORT_STEP + 14) };
}

/** Height of a port's middle, from the top of a node of that height. */
export function portOffset(place: number, total: number, height: number): number {
  return height / 2 + (place - (total - 1) / 2) * Math.min(PORT_STEP, height / Math.max(total, 1));
}
