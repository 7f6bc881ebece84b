/** Asks which node type of the catalogue is meant. */

import { Dialog, ReactWidget } from '@jupyterlab/apputils';
import { useState } from 'react';
import { matches } from '../panel/search';
import type { NodeType } from '../records';

/** The type; null when somebody thought better of it. */
export async function pickNodeType(types: readonly NodeType[]): Promise<NodeType | null> {
  const body = new List(types);
  const dialog = new Dialog({
    title: 'Insert a node as a code cell',
    body,
    buttons: [Dialog.cancelButton(), Dialog.okButton({ label: 'Insert' })],
    focusNodeSelector: 'input',
  });
  body.onPick = () => dialog.resolve(1);
  const { button } = await dialog.launch();
  return button.accept ? body.picked : null;
}

class List extends ReactWidget {
  picked: NodeType | null;
  onPick: () => void = () => undefined;

  constructor(private readonly types: readonly NodeType[]) {
    super();
    this.addClass('nbl-form');
    this.picked = types[0] ?? null;
  }

  protected render(): React.JSX.Element {
    return <Choices types={this.types} choose={(type) => (this.picked = type)} done={() => this.onPick()} />;
  }
}

interface ChoicesProps {
  types: readonly NodeType[];
  choose: (type: NodeType | null) => void;
  done: () => void;
}

function Choices({ types, choose, done }: ChoicesProps): React.JSX.Element {
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const found = types.filter(({ type, summary }) => matches(text, `${type} ${summary}`));
  const go = (to: number, among = found): void => {
    const place = Math.max(0, Math.min(to, among.length - 1));
    setAt(place);
    choose(among[place] ?? null);
  };
  const type = (typed: string): void => {
    setText(typed);
    go(
      0,
      types.filter((one) => matches(typed, `${one.type} ${one.summary}`)),
    );
  };
  const onKeyDown = (event: React.KeyboardEvent): void => {
    if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
    event.preventDefault();
    go(at + (event.key === 'ArrowDown' ? 1 : -1));
  };
  return (
    <>
      <input
        className="nbl-input"
        type="search"
        role="combobox"
        aria-expanded="true"
        aria-controls="nbl-types"
        aria-activedescendant={found[at] ? `nbl-type-${found[at].type}` : undefined}
        aria-label="Search node types"
        placeholder="Search"
        value={text}
        onChange={(event) => type(event.target.value)}
        onKeyDown={onKeyDown}
      />
      <ul className="nbl-choices" role="listbox" id="nbl-types" aria-label="Node types">
        {found.map((one, index) => (
          <li
            key={one.type}
            id={`nbl-type-${one.type}`}
            role="option"
            aria-selected={index === at}
            ref={(element) => (index === at ? element?.scrollIntoView?.({ block: 'nearest' }) : undefined)}
            onClick={() => go(index)}
            onDoubleClick={done}
          >
            <span className="nbl-name nbl-code">{one.type}</span>
            <span className="nbl-more">{one.summary}</span>
          </li>
        ))}
      </ul>
    </>
  );
}
