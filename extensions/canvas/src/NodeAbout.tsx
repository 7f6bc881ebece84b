import { useCanvas } from './context';
import type { FlowNode } from './document';
import type { PortType } from './catalogue';
import { portsIn } from './geometry';
import { useStore } from './store';

/** The documentation of a node's type: what it does, its ports, its fields. */
export function NodeAbout({ node }: { node: FlowNode }): React.JSX.Element {
  const { host, editor, actions } = useCanvas();
  useStore(host.catalogue);
  useStore(host.checked);
  const type = editor.typeOf(node);
  const ports = portsIn(actions.drawing(), node.id);
  if (!type) return <p className="nbf-callout">Nothing is known of {node.type} here.</p>;
  const fields = Object.entries(type.schema?.properties ?? {});
  return (
    <div className="nbf-doc">
      <p className="nbf-doc-summary">{type.summary}</p>
      <code className="nbf-type">{node.type}</code>
      {type.doc ? <p className="nbf-doc-text">{type.doc}</p> : null}
      <PortList title="Inputs" ports={ports.inputs} />
      <PortList title="Outputs" ports={ports.outputs} />
      {ports.inner ? <p className="nbf-about">Inside, `item` and `index` tell the round; what reaches `result` is collected.</p> : null}
      {fields.length ? (
        <>
          <h4 className="nbf-column-title">Fields</h4>
          <dl className="nbf-fields">
            {fields.map(([name, field]) => (
              <div key={name} className="nbf-fields-row">
                <dt><code className="nbf-type">{name}</code></dt>
                <dd className="nbf-about">{field.description ?? ''}</dd>
              </div>
            ))}
          </dl>
        </>
      ) : null}
    </div>
  );
}

function PortList({ title, ports }: { title: string; ports: readonly PortType[] }): React.JSX.Element | null {
  if (!ports.length) return null;
  return (
    <>
      <h4 className="nbf-column-title">{title}</h4>
      <ul className="nbf-port-list">
        {ports.map((port) => (
          <li key={port.name} className="nbf-port-item">
            <code className="nbf-type">{port.name}</code>
            <span className="nbf-about">{[port.type ?? 'anything', port.required ? 'required' : '', port.many ? 'any number' : ''].filter(Boolean).join(', ')}</span>
          </li>
        ))}
      </ul>
    </>
  );
}
