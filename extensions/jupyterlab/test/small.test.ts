import { describe, expect, it } from 'vitest';
import { EventReader } from '../src/events';
import { matches } from '../src/panel/search';
import { snippetOf } from '../src/snippet';
import { ago, duration } from '../src/words';

describe('events', () => {
  it('come out whole, however the text was cut', () => {
    const text = 'retry: 1000\nid: 0\nevent: accepted\ndata: {"a":1}\n\n: still here\n\nid: 1\nevent: node\ndata: one\ndata: two\n\n';
    for (const size of [1, 7, 1000]) {
      const reader = new EventReader();
      const found = [];
      for (let at = 0; at < text.length; at += size) found.push(...reader.feed(text.slice(at, at + size)));
      expect(found).toEqual([
        { id: '0', event: 'accepted', data: '{"a":1}' },
        { id: '1', event: 'node', data: 'one\ntwo' },
      ]);
    }
  });
});

describe('search', () => {
  it('wants each word, in any order', () => {
    expect(matches('ord fail', 'failed orders')).toBe(true);
    expect(matches('ord done', 'failed orders')).toBe(false);
    expect(matches('', 'anything')).toBe(true);
  });
});

describe('words', () => {
  it('for durations', () => {
    expect([null, 0.2, 16, 1234, 75_000, 7_500_000].map(duration)).toEqual(['', '<1 ms', '16 ms', '1.2 s', '1 min 15 s', '2 h 5 min']);
  });
  it('for moments', () => {
    const now = Date.parse('2026-11-24T12:00:00Z');
    expect(['2026-11-24T11:59:58Z', '2026-11-24T11:59:20Z', '2026-11-24T11:50:00Z', '2026-11-24T02:00:00Z'].map((moment) => ago(moment, now))).toEqual(['just now', '40 s ago', '10 min ago', '10 h ago']);
  });
});

describe('a node as a cell', () => {
  const type = { group: '', summary: '', trigger: false, container: false };
  it('is a flow with what has to be filled in', () => {
    const source = snippetOf({ ...type, type: 'data.csv', inputs: [{ name: 'input', required: false }], config_schema: { properties: { operation: { enum: ['parse'] } }, required: ['operation'] } });
    expect(source).toContain('def data_csv_flow():\n    return nf.nodes.data.csv(operation="parse")');
    expect(source).toContain('await data_csv_flow()');
  });
  it('has something to work on where it needs that, and Python’s names', () => {
    const source = snippetOf({ ...type, type: 'logic.if', inputs: [{ name: 'input', required: true }], config_schema: { properties: { condition: { type: 'string' } }, required: ['condition'] } });
    expect(source).toContain('nf.nodes.logic.if_(source(), condition="")');
    expect(source).toContain('@node\ndef source():');
  });
});
