import { useCanvas } from '../context';
import type { NodeType, PortType } from '../catalogue';
import type { FlowNode } from '../document';
import { asObject, withKey, type JsonObject } from '../json';
import type { Schema } from '../schema';
import { useStore } from '../store';
import { Field } from './Field';

interface Props {
  node: FlowNode;
  type: NodeType | undefined;
  onChange: (config: JsonObject, field: string) => void;
}

/** A Python function: a field for each parameter that no edge fills, and its source. */
export function FunctionForm({ node, type, onChange }: Props): React.JSX.Element {
  const { editor } = useCanvas();
  const flow = useStore(editor.flow);
  const args = asObject(node.config['args']);
  const name = String(node.config['function'] ?? '');
  const known = type?.inputs.filter((port) => port.name !== 'ctx') ?? [];
  const stray = Object.keys(args).filter((key) => !known.some((port) => port.name === key)).map((key): PortType => ({ name: key }));
  return (
    <>
      {type && type.type !== node.type ? null : <p className="nbf-callout nbf-callout-wrong">The function {name} is not to be had here. Run the cell that defines it.</p>}
      {[...known, ...stray].map((port) => {
        const edge = flow.edges.find((one) => one.target === node.id && one.target_port === port.name);
        if (edge) {
          return (
            <div key={port.name} className="nbf-field">
              <div className="nbf-field-head"><span className="nbf-label">{port.name}</span>{port.type ? <code className="nbf-type">{port.type}</code> : null}</div>
              <p className="nbf-about">from {edge.source}{edge.source_port === 'output' ? '' : `.${edge.source_port}`}{edge.path.length ? ` (.${edge.path.join('.')})` : ''}</p>
            </div>
          );
        }
        return (
          <Field
            key={port.name}
            path={['args', port.name]}
            label={port.name}
            schema={schemaOf(port)}
            value={args[port.name]}
            lazy={false}
            verbatim={false}
            required={port.required === true}
            onChange={(next) => {
              const left = withKey(args, port.name, next);
              onChange(withKey(node.config, 'args', Object.keys(left).length ? left : undefined), port.name);
            }}
          />
        );
      })}
      {known.length ? null : <p className="nbf-callout">This function takes no parameters.</p>}
      {type?.source ? (
        <details className="nbf-more" open>
          <summary className="nbf-summary">Source</summary>
          <pre className="nbf-pre nbf-source" tabIndex={0} aria-label={`Source of ${name}`}>{type.source}</pre>
          <p className="nbf-about">Change it in its cell and run the cell: the node follows.</p>
        </details>
      ) : null}
    </>
  );
}

const TYPES: Record<string, string> = { int: 'integer', float: 'number', bool: 'boolean', str: 'string' };

/** A parameter as a field; annotations that no field has take any JSON. */
function schemaOf(port: PortType): Schema {
  const type = TYPES[port.type ?? ''];
  const literals = /^Literal\[(.+)\]$/.exec(port.type ?? '')?.[1];
  const choices = literals?.match(/'[^']*'|"[^"]*"|[^,\s]+/g)?.map((text) => (/^['"]/.test(text) ? text.slice(1, -1) : Number(text)));
  return {
    ...(type && { type }),
    ...(choices && { enum: choices }),
    ...(port.default !== undefined && { default: port.default }),
    ...(port.type && !choices && { description: port.type }),
  };
}
