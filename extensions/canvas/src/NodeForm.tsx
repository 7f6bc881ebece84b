import { useMemo } from 'react';
import { FUNCTION } from './catalogue';
import { useCanvas } from './context';
import type { FlowNode } from './document';
import { setConfig } from './edits';
import { ConfigForm } from './fields/ConfigForm';
import { FormProvider, problemsElsewhere, type FormScope } from './fields/form';
import { FunctionForm } from './fields/FunctionForm';
import type { Json, JsonObject } from './json';
import { reachOf } from './reach';
import { useStore } from './store';

/** The form of a node's config, with what is wrong as a whole on top. */
export function NodeForm({ node }: { node: FlowNode }): React.JSX.Element {
  const { editor } = useCanvas();
  useStore(editor.host.catalogue);
  const type = editor.typeOf(node);
  const scope = useFormScope(node);
  const change = (config: JsonObject, field: string): void => {
    editor.edit(`change ${node.id}`, (flow) => setConfig(flow, node.id, config), { key: `${node.id}.config.${field}` });
  };
  const isFunction = node.type === FUNCTION;
  const names = isFunction ? ['args'] : Object.keys(type?.schema?.properties ?? {});
  const others = problemsElsewhere(scope.problems, [...names, 'settings']);
  return (
    <FormProvider value={scope}>
      <div className="nbf-form">
        {type?.missing ? <p className="nbf-callout nbf-callout-wrong">{type.missing}</p> : null}
        {others.map((problem) => (
          <p key={problem.message + (problem.field ?? '')} className="nbf-callout nbf-callout-wrong">
            {problem.field ? <strong>{problem.field}: </strong> : null}
            {problem.message}
          </p>
        ))}
        {isFunction ? <FunctionForm node={node} type={type} onChange={change} /> : type?.schema ? <ConfigForm node={node} type={type} schema={type.schema} onChange={change} /> : <p className="nbf-callout">This type is not installed here: {node.type}. Its settings are kept as they are.</p>}
      </div>
    </FormProvider>
  );
}

export function useFormScope(node: FlowNode): FormScope {
  const { host, editor, actions, prefix } = useCanvas();
  const flow = useStore(editor.flow);
  const samples = useStore(host.samples);
  const pins = useStore(host.pins);
  const checked = useStore(host.checked);
  const credentials = useStore(host.credentials);
  const catalogue = useStore(host.catalogue);
  const { readonly } = useStore(host.options);
  const root = editor.typeOf(node)?.schema ?? {};
  const reach = useMemo(() => {
    const pinned: Record<string, Json> = {};
    for (const [id, pin] of Object.entries(pins)) if (pin.value.preview !== undefined) pinned[id] = pin.value.preview;
    return reachOf(flow, node.id, samples, pinned);
  }, [flow, node.id, samples, pins]);
  const problems = useMemo(() => checked.problems.filter((problem) => problem.node === node.id), [checked, node.id]);
  return useMemo(
    () => ({ node: node.id, root, readonly: readonly || actions.readonly, expressions: true, reach, filters: catalogue.filters, credentials, problems, prefix: `${prefix}-${node.id}` }),
    [node.id, root, readonly, actions, reach, catalogue, credentials, problems, prefix],
  );
}
