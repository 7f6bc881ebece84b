/** Flows to look at. */

import type { JsonObject } from '../src/json';

export const ORDERS: JsonObject = {
  nbflow: 1,
  name: 'daily-orders',
  description: 'Fetches the orders of the day and tells who is waiting.',
  parameters: { type: 'object', properties: { day: { type: 'string', description: 'ISO date' }, limit: { type: 'integer', default: 100 } }, required: ['day'] },
  nodes: [
    { id: 'every_day', type: 'trigger.schedule', config: { cron: '0 7 * * *' } },
    { id: 'fetch', type: 'action.http', config: { url: 'https://api.example.com/orders?day={{ params.day }}', auth: { type: 'bearer', credential: 'shop' } }, settings: { retry: { max_tries: 5 } } },
    { id: 'paid', type: 'logic.if', config: { condition: "input.status == 'paid'" } },
    { id: 'clean', type: 'python.function', config: { function: 'orders:clean', args: { threshold: 10 } } },
    { id: 'each_order', type: 'logic.loop.foreach', config: {} },
    { id: 'enrich', type: 'action.transform', config: { assignments: [{ name: 'total', value: '{{ item.price * item.count }}' }, { name: 'customer', value: '{{ nodes.fetch.body.shop }}' }] }, parent: 'each_order' },
    { id: 'check', type: 'action.code.python', config: { code: "if item['total'] > 1000:\n    raise ValueError('too much')\nreturn item" }, parent: 'each_order' },
    { id: 'remind', type: 'data.file', config: { operation: 'write', path: 'late/{{ params.day }}.json' } },
    { id: 'gather', type: 'logic.merge', config: {} },
    { id: 'answer', type: 'flow.respond', config: { status: 299 }, settings: { notes: 'The dashboard reads this.' } },
  ],
  edges: [
    { source: 'every_day', target: 'fetch' },
    { source: 'fetch', target: 'paid', path: ['body'] },
    { source: 'paid', source_port: 'true', target: 'clean', target_port: 'orders' },
    { source: 'paid', source_port: 'false', target: 'remind' },
    { source: 'clean', target: 'each_order' },
    { source: 'each_order', source_port: 'item', target: 'enrich' },
    { source: 'enrich', target: 'check' },
    { source: 'check', target: 'each_order', target_port: 'result' },
    { source: 'each_order', target: 'gather', target_port: 'inputs' },
    { source: 'remind', target: 'gather', target_port: 'inputs' },
    { source: 'gather', target: 'answer' },
  ],
  notes: { note_1: { text: 'Runs before the team comes in.\nAsk Mia before changing the hour.', box: [0, -130, 210, 76] } },
};

/** `count` nodes in rows that feed each other. */
export function big(count: number): JsonObject {
  const types = ['action.http', 'action.transform', 'logic.if', 'data.json', 'data.csv', 'action.code.python'];
  const across = Math.ceil(Math.sqrt(count / 2));
  const nodes = Array.from({ length: count }, (_, at) => ({ id: `n${at}`, type: types[at % types.length] ?? '', config: at % 6 === 0 ? { url: 'http://x' } : {} }));
  const edges = nodes.flatMap((_, at) => (at % across ? [{ source: `n${at - 1}`, source_port: (at - 1) % types.length === 2 ? 'true' : 'output', target: `n${at}` }] : []));
  const layout = Object.fromEntries(nodes.map(({ id }, at) => [id, [(at % across) * 264, Math.floor(at / across) * 90]]));
  return { nbflow: 1, name: `big-${count}`, nodes, edges, layout } as unknown as JsonObject;
}
