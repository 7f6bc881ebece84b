/** A catalogue node as Python for a cell: a flow of its own, that runs as it stands once its fields are filled in. */

import type { NodeTypeDetail } from './records';

const KEYWORDS = new Set(['if', 'for', 'while', 'import', 'from', 'in', 'is', 'not', 'and', 'or', 'with', 'as', 'try', 'pass', 'class', 'def', 'global', 'return', 'lambda', 'yield']);
const NAMED = (name: string): string => (KEYWORDS.has(name) ? `${name}_` : name);

export function snippetOf({ type, trigger, inputs, config_schema }: NodeTypeDetail): string {
  const path = type.split('.').map(NAMED).join('.');
  const name = type.replace(/\W+/g, '_');
  const { properties = {}, required = [] } = config_schema;
  const fields = required.map((field) => `${NAMED(field)}=${placeholder(properties[field] ?? {})}`);
  const fed = !trigger && inputs.some((input) => input.required);
  const lines = [
    'import nbflow as nf',
    'from nbflow import flow, node',
    '',
    ...(fed ? ['', '@node', 'def source():', '    return {}', '', ''] : ['']),
    '@flow',
    `def ${name}_flow():`,
    `    return nf.nodes.${path}(${[...(fed ? ['source()'] : []), ...fields].join(', ')})`,
    '',
    '',
    `await ${name}_flow()`,
  ];
  return lines.join('\n').replace(/\n{4,}/g, '\n\n\n');
}

/** Something of the right kind, for the user to change. */
function placeholder(schema: Record<string, unknown>): string {
  if (Array.isArray(schema['enum'])) return literal(schema['enum'][0]);
  if ('const' in schema) return literal(schema['const']);
  const empty: Record<string, string> = { string: '""', integer: '0', number: '0.0', boolean: 'False', array: '[]', object: '{}' };
  return empty[String(schema['type'])] ?? '...';
}

const literal = (value: unknown): string => (value === true ? 'True' : value === false ? 'False' : value === null ? 'None' : JSON.stringify(value));
