/** The project's REST API, through Jupyter: `nbflow/api/v1/...`. Jupyter's own way of asking adds token and XSRF. */

import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import { EventReader, type ServerEvent } from './events';
import type { ExecutionDetail, Execution, NodeType, NodeTypeDetail, Page, Status, Webhook, Workflow, WorkflowDetail } from './records';

/** An answer that says no. Its message is fit to be shown. */
export class RefusedError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

export class Server {
  constructor(readonly settings: ServerConnection.ISettings) {}

  /** An address of this extension's server side. */
  url(path: string): string {
    return URLExt.join(this.settings.baseUrl, 'nbflow', path);
  }

  async workflows(): Promise<readonly Workflow[]> {
    return (await this.ask<Page<Workflow>>('GET', 'api/v1/workflows?limit=100')).items;
  }

  workflow(id: string): Promise<WorkflowDetail> {
    return this.ask('GET', `api/v1/workflows/${id}`);
  }

  async executions(status: Status | null, limit = 50): Promise<readonly Execution[]> {
    const only = status ? `&status=${status}` : '';
    return (await this.ask<Page<Execution>>('GET', `api/v1/executions?limit=${limit}${only}`)).items;
  }

  execution(id: string): Promise<ExecutionDetail> {
    return this.ask('GET', `api/v1/executions/${id}`);
  }

  async webhooks(): Promise<readonly Webhook[]> {
    return (await this.ask<Page<Webhook>>('GET', 'api/v1/webhooks?limit=200')).items;
  }

  async nodeTypes(): Promise<readonly NodeType[]> {
    return (await this.ask<Page<NodeType>>('GET', 'api/v1/node-types')).items;
  }

  nodeType(type: string): Promise<NodeTypeDetail> {
    return this.ask('GET', `api/v1/node-types/${encodeURIComponent(type)}`);
  }

  /** Starts a workflow and gives the new execution's id at once. */
  async run(workflow: string, params: Record<string, unknown>): Promise<string> {
    const body = { workflow_id: workflow, params, mode: 'queue' };
    return (await this.ask<{ execution_id: string }>('POST', 'api/v1/executions/execute', body)).execution_id;
  }

  async cancel(execution: string): Promise<void> {
    await this.ask('POST', `api/v1/executions/${execution}/cancel`, {});
  }

  /** Runs it again; gives the new execution's id. */
  async retry(execution: string): Promise<string> {
    return (await this.ask<{ execution_id: string }>('POST', `api/v1/executions/${execution}/retry`, {})).execution_id;
  }

  /** Where the project's server listens itself, without Jupyter before it. */
  place(): Promise<{ project: string; url: string }> {
    return this.ask('GET', 'server');
  }

  /** An execution's events as they come, until it has ended or `signal` says so. */
  async *events(execution: string, signal: AbortSignal): AsyncGenerator<ServerEvent> {
    const answer = await this.request('GET', `api/v1/executions/${execution}/events`, undefined, signal);
    if (!answer.ok || !answer.body) throw await refusal(answer);
    const reader = new EventReader();
    const stream = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    try {
      for (;;) {
        const { done, value } = await stream.read();
        if (done) return;
        yield* reader.feed(value);
      }
    } finally {
      await stream.cancel().catch(() => undefined);
    }
  }

  private async ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await this.request(method, path, body);
    if (!answer.ok) throw await refusal(answer);
    return (answer.status === 204 ? undefined : await answer.json()) as T;
  }

  private request(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<Response> {
    const init: RequestInit = { method, ...(signal && { signal }) };
    if (body !== undefined) Object.assign(init, { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } });
    return ServerConnection.makeRequest(this.url(path), init, this.settings);
  }
}

async function refusal(answer: Response): Promise<RefusedError> {
  try {
    const { error } = (await answer.json()) as { error: { code: string; message: string } };
    return new RefusedError(answer.status, error.code, error.message);
  } catch {
    return new RefusedError(answer.status, 'failed', `Jupyter answered ${answer.status} ${answer.statusText}`);
  }
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
