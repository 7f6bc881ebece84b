import { expect, test } from 'vitest';
import { autoLayout, boxesOf, freePlace, loopAt, settle } from '../src/layout';
import { CARD_HEIGHT, CARD_WIDTH, LOOP_PADDING } from '../src/sizes';
import { chain, looped } from './flows';

const size = (): { width: number; height: number } => ({ width: CARD_WIDTH, height: CARD_HEIGHT });
const isLoop = (id: string): boolean => id === 'each';

test('what follows stands to the right', () => {
  const points = autoLayout(chain('a', 'b', 'c'), isLoop, size);
  expect(points['a']?.[0]).toBeLessThan(points['b']?.[0] ?? 0);
  expect(points['b']?.[0]).toBeLessThan(points['c']?.[0] ?? 0);
});

test('a loop is drawn around its body', () => {
  const flow = { ...looped(), layout: {} };
  const boxes = boxesOf(flow, isLoop, size);
  const [loop, body] = [boxes.get('each'), boxes.get('body')];
  expect(body?.x).toBeGreaterThanOrEqual(LOOP_PADDING.left);
  expect(loop?.width).toBeGreaterThanOrEqual((body?.x ?? 0) + CARD_WIDTH + LOOP_PADDING.right);
});

test('no box of a laid out flow covers another', () => {
  const flow = { ...chain('a', 'b', 'c', 'd'), edges: [...chain('a', 'b').edges, ...chain('a', 'c').edges, ...chain('b', 'd').edges, ...chain('c', 'd').edges], layout: {} };
  const boxes = [...boxesOf(flow, isLoop, size).values()];
  for (const one of boxes) for (const other of boxes) if (one !== other) expect(one.x + one.width <= other.x || other.x + other.width <= one.x || one.y + one.height <= other.y || other.y + other.height <= one.y).toBe(true);
});

test('looking at a flow without positions does not write them', () => {
  const flow = { ...chain('a', 'b'), layout: {} };
  boxesOf(flow, isLoop, size);
  expect(flow.layout).toEqual({});
});

test('a new node finds a free place', () => {
  const flow = chain('a');
  const boxes = boxesOf(flow, isLoop, size);
  const [x, y] = freePlace(flow, boxes, null, [0, 0], size());
  expect(Math.abs(y) >= CARD_HEIGHT || Math.abs(x) >= CARD_WIDTH).toBe(true);
  expect(freePlace(flow, boxes, null, [2000, 0], size())).toEqual([2000, 0]);
});

test('a node dropped over a loop is in it', () => {
  const flow = looped();
  const boxes = boxesOf(flow, isLoop, size);
  expect(loopAt(flow, boxes, isLoop, [300, 60], new Set(['end']))).toBe('each');
  expect(loopAt(flow, boxes, isLoop, [-50, 60], new Set(['end']))).toBeNull();
});

test('a loop grows to the left, and its body stays where it is seen', () => {
  const flow = { ...looped(), layout: { ...looped().layout, body: [4, 46] as const } };
  const settled = settle(flow, isLoop);
  expect(settled.layout['body']?.[0]).toBe(LOOP_PADDING.left);
  expect((settled.layout['each']?.[0] ?? 0) + (settled.layout['body']?.[0] ?? 0)).toBe(264 + 4);
});
