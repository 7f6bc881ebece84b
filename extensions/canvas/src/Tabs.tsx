import { useId } from 'react';

interface Props<T extends string> {
  label: string;
  tabs: readonly { name: T; title: string; count?: number }[];
  current: T;
  onChoose: (name: T) => void;
  children: React.ReactNode;
}

/** Tabs with the keys that tabs have: arrows go along them. */
export function Tabs<T extends string>({ label, tabs, current, onChoose, children }: Props<T>): React.JSX.Element {
  const id = useId();
  const onKeyDown = (event: React.KeyboardEvent, place: number): void => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    const next = tabs[(place + step + tabs.length) % tabs.length];
    if (!step || !next) return;
    event.preventDefault();
    onChoose(next.name);
    (event.currentTarget.parentElement?.querySelector(`[data-tab="${next.name}"]`) as HTMLElement | null)?.focus();
  };
  return (
    <>
      <div className="nbf-tabs" role="tablist" aria-label={label}>
        {tabs.map(({ name, title, count }, place) => (
          <button
            key={name}
            type="button"
            role="tab"
            id={`${id}-${name}`}
            data-tab={name}
            className="nbf-tab"
            aria-selected={name === current}
            aria-controls={`${id}-panel`}
            tabIndex={name === current ? 0 : -1}
            onClick={() => onChoose(name)}
            onKeyDown={(event) => onKeyDown(event, place)}
          >
            {title}
            {count ? <span className="nbf-count">{count}</span> : null}
          </button>
        ))}
      </div>
      <div id={`${id}-panel`} className="nbf-tab-panel" role="tabpanel" aria-labelledby={`${id}-${current}`}>
        {children}
      </div>
    </>
  );
}
