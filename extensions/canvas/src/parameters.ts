/** The flow's parameters: a JSON Schema in the document, rows in the form. What a row does not show stays as it was. */

import { asObject, asText, isObject, type Json, type JsonObject } from './json';
import type { Schema } from './schema';

export const PARAMETERS: Schema = {
  type: 'array',
  default: [],
  description: 'What an execution may be started with. Expressions see them as `params`.',
  items: {
    type: 'object',
    required: ['name'],
    properties: {
      name: { type: 'string' },
      type: { type: 'string', enum: ['any', 'string', 'integer', 'number', 'boolean', 'array', 'object'], default: 'any' },
      default: { description: 'Without one, it must be given.' },
      description: { type: 'string', default: '' },
    },
  },
};

export interface ParameterRow {
  name: string;
  type?: string;
  default?: Json;
  description?: string;
}

export function parameterRows(schema: JsonObject): ParameterRow[] {
  return Object.entries(asObject(schema['properties'])).map(([name, part]) => {
    const { type, default: given, description } = asObject(part);
    return { name, ...(typeof type === 'string' && { type }), ...(given !== undefined && { default: given }), ...(typeof description === 'string' && { description }) };
  });
}

export function parameterSchema(before: JsonObject, rows: readonly Json[]): JsonObject {
  const old = asObject(before['properties']);
  const names = Object.keys(old);
  const properties: JsonObject = {};
  const required: Json[] = [];
  rows.filter(isObject).forEach((row, place) => {
    // two of one name, or none, cannot be in an object: the later gets another
    let name = asText(row['name']).trim() || `parameter_${place + 1}`;
    while (name in properties) name += '_';
    // a name that is gone was renamed in its row
    const kept = old[name] ?? (rows.length === names.length ? old[names[place] ?? ''] : undefined);
    const { type: _type, default: _default, description: _description, ...rest } = asObject(kept);
    properties[name] = {
      ...(row['type'] && row['type'] !== 'any' && { type: row['type'] }),
      ...rest,
      ...(row['description'] && { description: row['description'] }),
      ...(row['default'] !== undefined && row['default'] !== null && { default: row['default'] }),
    };
    if (row['default'] === undefined || row['default'] === null) required.push(name);
  });
  const { required: _required, properties: _properties, ...rest } = before;
  return { type: 'object', ...rest, properties, ...(required.length && { required }) };
}
