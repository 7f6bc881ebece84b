import { useCanvas } from '../context';
import { RETRY_DEFAULTS, SETTING_DEFAULTS, type FlowNode, type NodeSettings, type Retry } from '../document';
import { setSettings } from '../edits';
import { asObject, withKey, type Json, type JsonObject } from '../json';
import { useFormScope } from '../NodeForm';
import type { Schema } from '../schema';
import { Fields } from './ObjectInput';
import { FormProvider } from './form';

/** NodeSettings and Retry of core/flow.py, in words. */
const RETRY: Schema = {
  type: 'object',
  properties: {
    max_tries: { type: 'integer', minimum: 1, default: RETRY_DEFAULTS.max_tries, description: 'Tries in all, the first included.' },
    wait: { type: 'string', format: 'duration', default: RETRY_DEFAULTS.wait, description: 'Before the second try.' },
    backoff: { type: 'number', default: RETRY_DEFAULTS.backoff, description: 'Each later wait is this many times the one before.' },
    max_wait: { type: 'string', format: 'duration', default: RETRY_DEFAULTS.max_wait, description: 'No wait is longer.' },
    jitter: { type: 'number', default: RETRY_DEFAULTS.jitter, description: 'Each wait is stretched or shortened by up to this share of itself.' },
  },
};

export const SETTINGS: Schema = {
  type: 'object',
  properties: {
    on_error: { type: 'string', enum: ['stop', 'continue', 'output'], default: SETTING_DEFAULTS.on_error, title: 'When it fails', description: 'Stop the execution, go on with a failure as the value, or leave by the port `error`.' },
    retry: { anyOf: [{ title: 'Try again', ...RETRY }, { type: 'null' }], default: null, description: 'Only errors that may pass are tried again.' },
    timeout: { anyOf: [{ type: 'string', format: 'duration' }, { type: 'null' }], default: null, title: 'Time limit', description: 'Of one try.' },
    each: { type: 'boolean', default: false, title: 'Once for each item', description: 'The input is a list; the node runs once for each item (`item`, `index`) and gives the list of results.' },
    concurrency: { anyOf: [{ type: 'integer', minimum: 1 }, { type: 'null' }], default: null, title: 'At the same time', description: 'At most so many calls of this node at a time.' },
    disabled: { type: 'boolean', default: false, description: 'Passes its first input through.' },
    notes: { type: 'string', default: '', 'x-nbflow-widget': 'text', description: 'For people. Shown on the node.' },
  },
};

/** What every node understands, whatever it does. */
export function SettingsForm({ node }: { node: FlowNode }): React.JSX.Element {
  const { editor } = useCanvas();
  const scope = useFormScope(node);
  const change = (next: JsonObject): void => {
    const field = Object.keys(SETTING_DEFAULTS).find((key) => next[key] !== asObject(node.settings)[key]) ?? 'settings';
    editor.edit(`change ${node.id}`, (flow) => setSettings(flow, node.id, next as NodeSettings), { key: `${node.id}.settings.${field}` });
  };
  const retry = node.settings.retry;
  return (
    <FormProvider value={{ ...scope, root: SETTINGS, expressions: false }}>
      <div className="nbf-form">
        <Fields path={['settings']} schema={SETTINGS} value={asObject(node.settings)} lazy={false} verbatim={false} without={['retry']} onChange={change} />
        <section className="nbf-section" aria-label="Try again">
          <label className="nbf-check">
            <input
              type="checkbox"
              checked={Boolean(retry)}
              disabled={scope.readonly}
              onChange={(event) => change(withKey(asObject(node.settings), 'retry', event.target.checked ? ({} as Json) : undefined))}
            />
            Try again when it fails
          </label>
          <p className="nbf-about">Errors that would come again every time are not tried again.</p>
          {retry ? (
            <div className="nbf-object">
              <Fields path={['settings', 'retry']} schema={RETRY} value={asObject(retry)} lazy={false} verbatim={false} onChange={(next) => change(withKey(asObject(node.settings), 'retry', next as Retry as JsonObject))} />
            </div>
          ) : null}
        </section>
      </div>
    </FormProvider>
  );
}
