/** The model of Panel's JSComponent as a Link. panel.js (panelStub.ts) loads this with the canvas and hands over its model. */

import { LinkedHost } from './linked';
import type { Link } from './protocol';

/** What the canvas uses of Panel's model: params are its properties, `on(param)` tells of their changes. */
export interface PanelModel {
  [param: string]: unknown;
  /** For `msg:custom` the listener gets the message itself. */
  on(event: string, listener: (message: unknown) => void): void;
  off?(event: string, listener: (message: unknown) => void): void;
  send_msg(message: unknown): void;
}

export function panelLink(model: PanelModel): Link {
  const listen = (event: string, listener: (message: unknown) => void): (() => void) => {
    model.on(event, listener);
    return () => model.off?.(event, listener);
  };
  return {
    get: (trait) => model[trait],
    onChange: (trait, listener) => listen(trait, () => listener()),
    writeFlow: (flow) => {
      model['flow'] = flow;
    },
    send: (message) => model.send_msg(message),
    onMessage: (listener) => listen('msg:custom', listener),
  };
}

export function panelHost(model: PanelModel, early: readonly unknown[] = []): LinkedHost {
  return new LinkedHost(panelLink(model), { early });
}
