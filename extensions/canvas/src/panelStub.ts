/** panel.js: `_esm` of the JSComponent. Small for the same reason as widget.js. */

import type * as Bundle from './canvas';
import type { LinkedHost } from './linked';
import { load } from './load';
import type { PanelModel } from './panel';

const hosts = new WeakMap<object, Promise<[typeof Bundle, LinkedHost]>>();

/** Panel may call `render` for several views of one model. */
function hostOf(model: PanelModel): Promise<[typeof Bundle, LinkedHost]> {
  let host = hosts.get(model);
  if (host) return host;
  const early: unknown[] = [];
  const listeners = new Set<(message: unknown) => void>([(message) => early.push(message)]);
  const hear = (message: unknown): void => listeners.forEach((listener) => listener(message));
  model.on('msg:custom', hear);
  host = load<typeof Bundle>({
    folder: (model['options'] as { static?: string } | null)?.static,
    send: (message) => model.send_msg(message),
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  }).then((canvas) => {
    listeners.clear();
    return [canvas, canvas.panelHost(model, early)];
  });
  hosts.set(model, host);
  host.catch(() => hosts.delete(model));
  return host;
}

export function render({ model }: { model: PanelModel }): HTMLElement {
  const element = document.createElement('div');
  element.style.cssText = 'width:100%;height:100%';
  element.textContent = 'Loading the canvas…';
  let unmount: (() => void) | null = null;
  hostOf(model).then(
    ([canvas, host]) => {
      element.textContent = '';
      unmount = canvas.mount(element, host);
    },
    (error) => (element.textContent = `The canvas could not be loaded: ${error}`),
  );
  model.on('remove', () => unmount?.());
  return element;
}
