import { describe, expect, it } from 'vitest';
import { fieldsOf, typedFor, valuesOf } from '../src/dialogs/parameters';

const SCHEMA = {
  type: 'object',
  required: ['name'],
  properties: {
    name: { type: 'string', description: 'Who' },
    times: { type: 'integer', default: 3 },
    loud: { type: 'boolean', default: false },
    limit: { anyOf: [{ type: 'number' }, { type: 'null' }], default: null },
    size: { enum: ['S', 'L'], type: 'string' },
    rows: { type: 'array' },
  },
};

describe('the parameters of a workflow', () => {
  const fields = fieldsOf(SCHEMA);

  it('are fields of the right kind', () => {
    expect(fields.map(({ name, kind }) => [name, kind])).toEqual([
      ['name', 'text'],
      ['times', 'number'],
      ['loud', 'boolean'],
      ['limit', 'number'],
      ['size', 'choice'],
      ['rows', 'json'],
    ]);
    expect(fieldsOf({})).toEqual([]);
    expect(fieldsOf(undefined)).toEqual([]);
  });

  it('are sent as they were meant, without what was left alone', () => {
    expect(valuesOf(fields, { name: 'Ada' })).toEqual({ name: 'Ada' });
    expect(valuesOf(fields, { name: '', times: '4', loud: 'true', limit: '0.5', size: 'L', rows: '[1]' })).toEqual({ name: '', times: 4, loud: true, limit: 0.5, size: 'L', rows: [1] });
  });

  it('are proposed as they were last time', () => {
    const values = { name: 'Ada', times: 4, loud: true, rows: [1, 'x'] };
    expect(valuesOf(fields, typedFor(fields, values))).toEqual(values);
  });

  it('say what is wrong', () => {
    expect(() => valuesOf(fields, { name: 'x', times: 'many' })).toThrow('times: “many” is no number');
    expect(() => valuesOf(fields, { name: 'x', rows: '[1' })).toThrow('rows: this is not JSON');
    expect(() => valuesOf(fieldsOf({ required: ['n'], properties: { n: { type: 'integer' } } }), {})).toThrow('n is needed');
  });
});
