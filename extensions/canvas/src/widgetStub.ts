/** widget.js: anywidget's `_esm`. It goes along with every widget, so it is small, and loads the canvas itself. */

import { load } from './load';
import type { LinkedHost } from './linked';
import type * as Bundle from './canvas';
import type { WidgetModel } from './widget';

interface Lent {
  model: WidgetModel;
  el: HTMLElement;
}

// a function: anywidget calls it once for each model, and its views share what is made here
export default () => {
  let ready: Promise<[typeof Bundle, LinkedHost]>;
  return {
    // never waits for the kernel: it may wait for this
    initialize({ model }: Lent) {
      const early: unknown[] = [];
      const keep = (message: never): unknown => early.push(message);
      model.on('msg:custom', keep);
      ready = load<typeof Bundle>({
        folder: (model.get('options') as { static?: string } | null)?.static,
        send: (message) => model.send(message),
        listen(listener) {
          model.on('msg:custom', listener);
          return () => model.off('msg:custom', listener);
        },
      }).then((canvas) => {
        model.off('msg:custom', keep);
        return [canvas, canvas.widgetHost(model, early)];
      });
      ready.catch(() => 0);
      return () => void ready.then(([, host]) => host.close());
    },
    render({ el }: Lent) {
      let unmount: (() => void) | null = null;
      let gone = false;
      el.textContent = 'Loading the canvas…';
      ready.then(
        ([canvas, host]) => {
          el.textContent = '';
          if (!gone) unmount = canvas.mount(el, host);
        },
        (error) => (el.textContent = `The canvas could not be loaded: ${error}`),
      );
      return () => {
        gone = true;
        unmount?.();
      };
    },
  };
};
