/** What the views of one document share: its text, its link, its host. */

import type { DocumentRegistry } from '@jupyterlab/docregistry';
import { URLExt } from '@jupyterlab/coreutils';
import type { ServerConnection } from '@jupyterlab/services';
import type { Command, LinkedHost } from '@nbflow/canvas';
import { askForParameters } from '../dialogs/ask';
import { SocketLink } from './socket';
import { FlowText } from './text';

export type Context = DocumentRegistry.IContext<DocumentRegistry.ICodeModel>;

export interface Wishes {
  /** Before each run. */
  readonly saveBeforeRun: () => boolean;
}

const WINDOW = 'nbflow:window'; // in sessionStorage, which is this browser window's own and outlives a reload
const open = new WeakMap<Context, OpenFlow>();

export class OpenFlow {
  readonly host: Promise<LinkedHost>;
  private readonly text: FlowText;
  private readonly link: SocketLink;
  private made: LinkedHost | null = null;
  private flushing = false;
  private params: Record<string, unknown> = {};

  /** Raises NoFlowError. */
  static of(context: Context, settings: ServerConnection.ISettings, wishes: Wishes): OpenFlow {
    let flow = open.get(context);
    if (!flow) {
      flow = new OpenFlow(context, settings, wishes);
      open.set(context, flow);
      context.disposed.connect(() => flow?.dispose());
    }
    return flow;
  }

  static find(context: Context): OpenFlow | undefined {
    return open.get(context);
  }

  private constructor(
    private readonly context: Context,
    settings: ServerConnection.ISettings,
    wishes: Wishes,
  ) {
    this.text = new FlowText(context);
    const session = { key: `${windowName()}:${context.path}`, renew: () => (session.key = `${crypto.randomUUID()}:${context.path}`) };
    const url = URLExt.join(settings.wsUrl, 'nbflow/canvas') + (settings.token ? `?token=${encodeURIComponent(settings.token)}` : '');
    this.link = new SocketLink({
      text: this.text,
      connect: () => new settings.WebSocket(url),
      session,
      options: () => ({ ...this.asked(), theme: 'auto', height: null, readonly: context.model.readOnly }),
      intercept: (message) => {
        if (message.kind !== 'command') return false;
        if (message.name === 'save' && !this.flushing) void context.save();
        const isRun = message.name.startsWith('run');
        if (isRun) void this.run(message, wishes.saveBeforeRun());
        return isRun || message.name === 'save';
      },
    });
    context.saveState.connect((_, state) => {
      if (state === 'started') this.flush();
    });
    context.model.stateChanged.connect((_, change) => {
      if (change.name === 'readOnly') this.link.optionsChanged();
    });
    const canvas = import('@nbflow/canvas');
    this.host = Promise.all([canvas, Promise.race([this.link.ready, delay(4000)])]).then(([{ LinkedHost }]) => (this.made = new LinkedHost(this.link)));
  }

  /** Asks for the flow's parameters where it has some; the last ones are proposed. */
  private async run(message: Parameters<SocketLink['deliver']>[0], save: boolean): Promise<void> {
    const { model } = this.context;
    const { name, parameters } = this.text.read();
    const params = await askForParameters(String(name), parameters, this.params);
    if (params === null) return;
    this.params = params;
    if (save && model.dirty && !model.readOnly) await this.context.save();
    this.link.deliver(message, params);
  }

  /** Saving is Lab's: offered whatever the session can do. */
  private asked(): Record<string, unknown> {
    const told = (this.link?.told('options') ?? {}) as { capabilities?: string[] };
    return { capabilities: [...new Set([...(told.capabilities ?? []), 'save'])] };
  }

  /** What was typed last may still be on its way to the text: a command brings it along. */
  private flush(): void {
    this.flushing = true;
    this.made?.command({ name: 'save' });
    this.flushing = false;
  }

  /** False while the canvas is still on its way. */
  command(command: Command): boolean {
    this.made?.command(command);
    return this.made !== null;
  }

  /** The execution that the canvas shows, if there is one. */
  get execution(): { id: string; status: string } | null {
    return this.made?.statuses.execution() ?? null;
  }

  private dispose(): void {
    this.made?.close();
    this.link.dispose();
    this.text.dispose();
  }
}

function windowName(): string {
  const known = sessionStorage.getItem(WINDOW);
  const name = known ?? crypto.randomUUID();
  if (known === null) sessionStorage.setItem(WINDOW, name);
  return name;
}

const delay = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));
