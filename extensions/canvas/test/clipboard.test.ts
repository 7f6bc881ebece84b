import { expect, test } from 'vitest';
import { cut, fromText, paste, toText } from '../src/clipboard';
import { nodeOf } from '../src/document';
import { arrows, chain, looped } from './flows';

const points = { fetch: [0, 0], each: [264, 0], body: [40, 50], end: [700, 0] } as const;

test('copies get free ids, and their edges and expressions follow', () => {
  const flow = looped();
  const part = fromText(toText(cut(flow, ['fetch', 'each'], points)));
  const pasted = paste(flow, part as NonNullable<typeof part>, [40, 40], null);
  expect(pasted.ids.sort()).toEqual(['body_2', 'each_2', 'fetch_2']);
  expect(nodeOf(pasted.flow, 'body_2')?.parent).toBe('each_2');
  expect(nodeOf(pasted.flow, 'body_2')?.config).toEqual({ assignments: [{ name: 'x', value: '{{ nodes.fetch_2.x }}' }] });
  expect(arrows(pasted.flow)).toContain('fetch_2.output>each_2.input');
  expect(pasted.flow.layout['fetch_2']).toEqual([40, 40]);
  expect(pasted.flow.layout['body_2']).toEqual([40, 50]);
});

test('an expression that names a node outside of the copy still names it', () => {
  const pasted = paste(looped(), cut(looped(), ['body'], points), [0, 0], null);
  expect(nodeOf(pasted.flow, 'body_2')?.config).toEqual({ assignments: [{ name: 'x', value: '{{ nodes.fetch.x }}' }] });
});

test('edges to what was not copied stay behind', () => {
  expect(cut(chain('a', 'b'), ['b'], {}).edges).toEqual([]);
});

test('other text in the clipboard is no flow', () => {
  expect(fromText('hello')).toBeNull();
  expect(fromText('{"x": 1}')).toBeNull();
  expect(fromText('{broken')).toBeNull();
});
