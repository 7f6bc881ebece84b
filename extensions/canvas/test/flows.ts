/** Small flows for the tests, and the catalogue of the installed product. */

import type { Catalogue } from '../src/catalogue';
import { readFlow, type Flow } from '../src/document';
import { DEFAULT_OPTIONS, NO_SAMPLES, UNCHECKED, type Command, type Host, type Options } from '../src/host';
import type { Json } from '../src/json';
import { StatusStore } from '../src/statuses';
import { Store } from '../src/store';
import catalogue from '../dev/catalogue.json';

export const CATALOGUE = catalogue as unknown as Catalogue;

/** `chain('a', 'b')`: nodes of type action.transform, each feeding the next. */
export function chain(...ids: string[]): Flow {
  return readFlow({
    nbflow: 1,
    name: 'test',
    nodes: ids.map((id) => ({ id, type: 'action.transform' })),
    edges: ids.slice(1).map((id, at) => ({ source: ids[at] as string, target: id })),
    layout: Object.fromEntries(ids.map((id, at) => [id, [at * 260, 0]])),
  });
}

/** fetch, then a loop `each` with `body` inside, then `end`. */
export function looped(): Flow {
  return readFlow({
    nbflow: 1,
    name: 'looped',
    nodes: [
      { id: 'fetch', type: 'action.http', config: { url: 'http://x' } },
      { id: 'each', type: 'logic.loop.foreach' },
      { id: 'body', type: 'action.transform', parent: 'each', config: { assignments: [{ name: 'x', value: '{{ nodes.fetch.x }}' }] } },
      { id: 'end', type: 'action.transform' },
    ],
    edges: [
      { source: 'fetch', target: 'each' },
      { source: 'each', source_port: 'item', target: 'body' },
      { source: 'body', target: 'each', target_port: 'result' },
      { source: 'each', target: 'end' },
    ],
    layout: { fetch: [0, 0], each: [264, 0], body: [40, 50], end: [700, 0] },
  });
}

export interface FakeHost extends Host {
  flow: Store<Flow>;
  options: Store<Options>;
  commands: Command[];
  hints: unknown[];
}

export function fakeHost(flow: Flow, options: Partial<Options> = {}): FakeHost {
  const host: FakeHost = {
    flow: new Store(flow),
    catalogue: new Store(CATALOGUE),
    checked: new Store(UNCHECKED),
    statuses: new StatusStore((run) => run()),
    samples: new Store(NO_SAMPLES),
    credentials: new Store([]),
    executions: new Store([]),
    pins: new Store({}),
    options: new Store<Options>({ ...DEFAULT_OPTIONS, ...options }),
    notice: new Store<string | null>(null),
    commands: [],
    hints: [],
    setFlow(next, hint) {
      host.flow.set(next);
      if (hint) host.hints.push(hint);
    },
    command: (command) => void host.commands.push(command),
    ask: () => Promise.reject(new Error('nobody answers')),
  };
  return host;
}

export const ids = (flow: Flow): string[] => flow.nodes.map(({ id }) => id);
export const arrows = (flow: Flow): string[] => flow.edges.map((edge) => `${edge.source}.${edge.source_port}>${edge.target}.${edge.target_port}`);
export type { Json };
