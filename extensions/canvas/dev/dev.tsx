/** The page to look at: ?flow=orders|empty|500&theme=dark&height=420&readonly&shadow&load. `window.host` is there to be driven. */

import type { Catalogue } from '../src/catalogue';
import type { JsonObject } from '../src/json';
import { mount } from '../src/mount';
import type { NodeStatus, StatusWord } from '../src/statuses';
import catalogue from './catalogue.json';
import { big, ORDERS } from './flows';
import { DevHost } from './host';

const asked = new URLSearchParams(location.search);
const name = asked.get('flow') ?? 'orders';
const flow: JsonObject = name === 'orders' ? ORDERS : name === 'empty' ? { nbflow: 1, name: 'new-flow' } : big(Number(name));
if (asked.has('theme')) document.body.dataset['jpThemeLight'] = String(asked.get('theme') !== 'dark');
const host = new DevHost(flow, catalogue as unknown as Catalogue, { height: Number(asked.get('height') ?? 620), readonly: asked.has('readonly') });
let place = document.getElementById('root') as HTMLElement;
if (asked.has('shadow')) {
  const inner = document.createElement('div');
  place.attachShadow({ mode: 'open' }).append(inner);
  place = inner;
}
if (asked.has('width')) place.style.width = `${asked.get('width')}px`;

const started = performance.now();
const unmount = mount(place, host);
const painted = (): void => {
  const root = place.querySelectorAll('.react-flow__node').length;
  if (root < Math.min(host.flow.get().nodes.length, 1)) requestAnimationFrame(painted);
  else requestAnimationFrame(() => Object.assign(window, { paintedMs: performance.now() - started, paintedNodes: root }));
};
requestAnimationFrame(painted);

/** All statuses change ten times a second, for so many milliseconds; gives frames a second and the worst frame. */
function load(ms: number): Promise<{ fps: number; worst: number }> {
  const words: StatusWord[] = ['running', 'completed', 'failed', 'waiting'];
  let round = 0;
  const timer = setInterval(() => {
    round += 1;
    const nodes: Record<string, NodeStatus> = {};
    host.flow.get().nodes.forEach(({ id }, at) => (nodes[id] = { status: words[(at + round) % 4] ?? 'running', detail: `${round} ms`, items: { output: round } }));
    host.frame({ nodes, execution: { id: 'load', status: 'running', done: round, total: 1000 } });
  }, 100);
  return new Promise((resolve) => {
    const begin = performance.now();
    let [frames, worst, last] = [0, 0, begin];
    const tick = (now: number): void => {
      frames += 1;
      worst = Math.max(worst, now - last);
      last = now;
      if (now - begin < ms) return void requestAnimationFrame(tick);
      clearInterval(timer);
      resolve({ fps: (1000 * frames) / (now - begin), worst });
    };
    requestAnimationFrame(tick);
  });
}

Object.assign(window, { host, unmount, load });
