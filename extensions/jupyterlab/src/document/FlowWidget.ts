/** A view of a flow document: the canvas, or what is wrong with the file. */

import { DocumentWidget } from '@jupyterlab/docregistry';
import { ABCWidgetFactory, type DocumentRegistry } from '@jupyterlab/docregistry';
import type { ServerConnection } from '@jupyterlab/services';
import type { Message } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';
import { flowIcon } from '../icons';
import { messageOf } from '../server';
import { OpenFlow, type Context, type Wishes } from './open';

/** Mounts the canvas when there is a place for it: in a hidden tab it would not know its size. */
class FlowCanvas extends Widget {
  private unmount: (() => void) | null = null;
  private asked = false;

  constructor(private readonly flow: () => Promise<OpenFlow>) {
    super();
    this.addClass('nbl-flow');
    this.node.tabIndex = -1;
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    if (this.isVisible) this.mount();
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.mount();
  }

  protected override onActivateRequest(): void {
    const focused = this.node.contains(document.activeElement);
    if (!focused) (this.node.querySelector<HTMLElement>('.nbf-canvas [tabindex="0"]') ?? this.node).focus({ preventScroll: true });
  }

  override dispose(): void {
    this.unmount?.();
    this.unmount = null;
    super.dispose();
  }

  private mount(): void {
    if (this.asked) return;
    this.asked = true;
    this.node.replaceChildren(told('Opening the flow…'));
    this.draw().catch((error: unknown) => this.node.replaceChildren(told(messageOf(error), 'Open it with “Editor” (right-click on its tab or file) to see its text.')));
  }

  private async draw(): Promise<void> {
    const [{ mount }, host] = await Promise.all([import('@nbflow/canvas'), this.flow().then((flow) => flow.host)]);
    if (this.isDisposed) return;
    this.node.replaceChildren();
    this.unmount = mount(this.node, host);
  }
}

function told(text: string, advice = ''): HTMLElement {
  const element = document.createElement('div');
  element.className = 'nbl-told';
  element.setAttribute('role', 'status');
  for (const line of [text, advice].filter(Boolean)) element.appendChild(document.createElement('p')).textContent = line;
  return element;
}

export class FlowWidget extends DocumentWidget<Widget, DocumentRegistry.ICodeModel> {
  get flow(): OpenFlow | undefined {
    return OpenFlow.find(this.context);
  }
}

export class FlowFactory extends ABCWidgetFactory<FlowWidget, DocumentRegistry.ICodeModel> {
  constructor(
    options: DocumentRegistry.IWidgetFactoryOptions<FlowWidget>,
    private readonly settings: ServerConnection.ISettings,
    private readonly wishes: Wishes,
  ) {
    super(options);
  }

  protected override createNewWidget(context: Context): FlowWidget {
    const ready = context.ready; // before, the text is empty, which would be a new flow
    const content = new FlowCanvas(() => ready.then(() => OpenFlow.of(context, this.settings, this.wishes)));
    const widget = new FlowWidget({ content, context, reveal: ready });
    widget.toolbar.hide(); // the canvas has its own
    widget.title.icon = flowIcon;
    return widget;
  }
}
