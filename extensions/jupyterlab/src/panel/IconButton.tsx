/** A button that is an icon, with a name for those who do not see it. */

import type { LabIcon } from '@jupyterlab/ui-components';

export function IconButton({ icon: Icon, label, onClick }: { icon: LabIcon; label: string; onClick: () => void }): React.JSX.Element {
  return (
    <button
      type="button"
      className="nbl-icon-button"
      title={label}
      aria-label={label}
      onClick={(event) => {
        event.stopPropagation();
        onClick();
      }}
    >
      <Icon.react tag="span" height="16px" width="16px" />
    </button>
  );
}
