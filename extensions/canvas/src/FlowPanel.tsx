import { useMemo } from 'react';
import { Button } from './Button';
import { CodeView } from './CodeView';
import { useCanvas } from './context';
import { nodeOf, type Flow } from './document';
import { FormProvider, type FormScope } from './fields/form';
import { Fields } from './fields/ObjectInput';
import { asObject, withKey, type Json, type JsonObject } from './json';
import { parameterRows, parameterSchema, PARAMETERS } from './parameters';
import type { Schema } from './schema';
import { useStore } from './store';
import { Tabs } from './Tabs';
import type { FlowTab } from './view';

/** FlowSettings of core/flow.py, in words. */
const SETTINGS: Schema = {
  type: 'object',
  properties: {
    timezone: { type: 'string', default: 'UTC', title: 'Time zone', description: 'IANA name, such as Europe/Berlin.' },
    timeout: { anyOf: [{ type: 'string', format: 'duration' }, { type: 'null' }], default: null, title: 'Time limit', description: 'Of a whole execution.' },
    concurrency: { type: 'integer', minimum: 1, default: 16, title: 'Nodes at the same time', description: 'In one execution.' },
    keep_outputs: { type: 'boolean', default: true, description: 'Off: each value is let go after its last use, which saves memory.' },
    max_running: { anyOf: [{ type: 'integer', minimum: 1 }, { type: 'null' }], default: null, title: 'Executions at the same time', description: 'On a server; the others wait their turn.' },
    on_interrupt: { type: 'string', enum: ['fail', 'run_again'], default: 'fail', title: 'After a crash of the server', description: 'What becomes of an execution that was running.' },
    vars: { type: 'object', title: 'Constants', description: 'Expressions see them as `vars`.' },
  },
};

const ABOUT: Schema = {
  type: 'object',
  required: ['name'],
  properties: {
    name: { type: 'string' },
    description: { type: 'string', default: '', 'x-nbflow-widget': 'text' },
    parameters: PARAMETERS,
    settings: SETTINGS,
  },
};

/** The flow as a whole: what it is called and takes, what is wrong with it, its code. */
export function FlowPanel(): React.JSX.Element | null {
  const { host, view, actions } = useCanvas();
  const shown = useStore(view.flowPanel);
  const tab = useStore(view.flowTab);
  const problems = useStore(host.checked).problems;
  if (!shown) return null;
  const tabs: { name: FlowTab; title: string; count?: number }[] = [{ name: 'flow', title: 'Flow' }, { name: 'problems', title: 'Problems', count: problems.length }];
  if (actions.can('code')) tabs.push({ name: 'code', title: 'Code' });
  return (
    <aside className={`nbf-panel${tab === 'code' ? ' nbf-panel-code' : ''}`} aria-label="Flow">
      <header className="nbf-panel-head">
        <strong className="nbf-grow">Flow</strong>
        <Button small sign="close" label="Close the panel" onClick={() => view.flowPanel.set(false)} />
      </header>
      <Tabs label="Flow" tabs={tabs} current={tab} onChoose={(name) => view.flowTab.set(name)}>
        {tab === 'flow' ? <FlowForm /> : null}
        {tab === 'problems' ? <Problems /> : null}
        {tab === 'code' ? <CodeView /> : null}
      </Tabs>
    </aside>
  );
}

function FlowForm(): React.JSX.Element {
  const { host, editor, prefix } = useCanvas();
  const flow = useStore(editor.flow);
  const problems = useStore(host.checked).problems;
  const { readonly } = useStore(host.options);
  const scope = useMemo<FormScope>(
    () => ({ node: '', root: ABOUT, readonly, expressions: false, reach: { nodes: [], names: {} }, filters: [], credentials: [], problems: problems.filter(({ node }) => !node), prefix: `${prefix}-flow` }),
    [readonly, problems, prefix],
  );
  const shown = useMemo(() => asForm(flow), [flow]);
  const change = (next: JsonObject): void => {
    const field = Object.keys(ABOUT.properties ?? {}).find((key) => next[key] !== shown[key]) ?? '';
    editor.edit('change the flow', (before) => fromForm(before, next), { key: `flow.${field}` });
  };
  return (
    <FormProvider value={scope}>
      <div className="nbf-form">
        <Fields path={[]} schema={ABOUT} value={shown} lazy={false} verbatim={false} onChange={change} />
      </div>
    </FormProvider>
  );
}

function asForm(flow: Flow): JsonObject {
  const parameters = parameterRows(asObject(flow.rest['parameters']));
  return { name: flow.name, ...(flow.rest['description'] && { description: flow.rest['description'] }), ...(parameters.length && { parameters: parameters as unknown as Json }), ...(flow.rest['settings'] && { settings: flow.rest['settings'] }) };
}

function fromForm(flow: Flow, form: JsonObject): Flow {
  const parameters = form['parameters'];
  let rest = withKey(flow.rest, 'description', form['description']);
  rest = withKey(rest, 'settings', form['settings']);
  rest = withKey(rest, 'parameters', Array.isArray(parameters) && parameters.length ? parameterSchema(asObject(flow.rest['parameters']), parameters) : undefined);
  return { ...flow, name: typeof form['name'] === 'string' && form['name'] ? form['name'] : flow.name, rest };
}

function Problems(): React.JSX.Element {
  const { host, editor, view, actions } = useCanvas();
  const problems = useStore(host.checked).problems;
  const flow = useStore(editor.flow);
  if (!problems.length) return <p className="nbf-callout">Nothing is wrong with this flow.</p>;
  return (
    <ul className="nbf-problems">
      {problems.map((problem, place) => (
        <li key={place} className="nbf-problem-item">
          <button
            type="button"
            className="nbf-problem-link"
            disabled={!nodeOf(flow, problem.node)}
            onClick={() => {
              if (!problem.node) return;
              view.select([problem.node]);
              view.panel.set(true);
              view.tab.set(problem.field?.startsWith('settings') ? 'settings' : 'configure');
              actions.stage.reveal(problem.node);
            }}
          >
            <strong>{problem.node ?? 'Flow'}{problem.field ? `, ${problem.field}` : ''}</strong>
            <span>{problem.message}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}
