import { Button } from './Button';
import { useCanvas } from './context';
import { TypeIcon } from './Icon';
import { useStore } from './store';

/** What an empty flow says: how to begin, with the triggers at hand. */
export function Empty(): React.JSX.Element {
  const { host, actions } = useCanvas();
  const catalogue = useStore(host.catalogue);
  const triggers = catalogue.types.filter((type) => type.trigger).slice(0, 3);
  return (
    <div className="nbf-empty">
      <h3 className="nbf-empty-title">Start with what starts the flow</h3>
      <div className="nbf-empty-row">
        {actions.readonly
          ? null
          : triggers.map((type) => (
              <button key={type.type} type="button" className="nbf-empty-card" onClick={() => actions.add(type.type)}>
                <TypeIcon type={type.type} />
                <strong>{type.title}</strong>
                <span>{type.summary}</span>
              </button>
            ))}
      </div>
      {actions.readonly ? <p>This flow has no nodes.</p> : <Button tone="line" sign="plus" text="Any other node" label="Add any node" action="add" onClick={() => actions.ask()} />}
    </div>
  );
}
