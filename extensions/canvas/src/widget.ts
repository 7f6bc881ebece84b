/** anywidget's model as a Link. widget.js (widgetStub.ts) loads this with the canvas and hands over its model. */

import { LinkedHost } from './linked';
import type { Link } from './protocol';

/** What the canvas uses of anywidget's AnyModel. */
export interface WidgetModel {
  get(name: string): unknown;
  set(name: string, value: unknown): void;
  save_changes(): void;
  send(message: unknown): void;
  on(event: string, listener: (...values: never[]) => void): void;
  off(event: string, listener: (...values: never[]) => void): void;
}

export function widgetLink(model: WidgetModel): Link {
  const listen = (event: string, listener: (...values: never[]) => void): (() => void) => {
    model.on(event, listener);
    return () => model.off(event, listener);
  };
  return {
    get: (trait) => model.get(trait),
    onChange: (trait, listener) => listen(`change:${trait}`, () => listener()),
    writeFlow: (flow) => {
      model.set('flow', flow);
      model.save_changes();
    },
    send: (message) => model.send(message),
    onMessage: (listener) => listen('msg:custom', (message: never) => listener(message)),
  };
}

/** One for each model, made as soon as the code is there. `early`: messages that came before. */
export function widgetHost(model: WidgetModel, early: readonly unknown[] = []): LinkedHost {
  return new LinkedHost(widgetLink(model), { early });
}

