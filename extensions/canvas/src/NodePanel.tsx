import { Button } from './Button';
import { useCanvas } from './context';
import { nodeOf, type FlowNode } from './document';
import { SettingsForm } from './fields/SettingsForm';
import { NodeAbout } from './NodeAbout';
import { NodeData } from './NodeData';
import { NodeForm } from './NodeForm';
import { NodeActions, NodeHead } from './NodeHead';
import { useStore } from './store';
import { Tabs } from './Tabs';
import type { Tab } from './view';

/** The selected node, beside the drawing: its form, its data, what it is. */
export function NodePanel(): React.JSX.Element | null {
  const { editor, view } = useCanvas();
  const flow = useStore(editor.flow);
  const node = nodeOf(flow, useStore(view.current));
  const many = useStore(view.selected).size;
  const shown = useStore(view.panel);
  if (!shown) return null;
  if (many > 1) return <SelectionPanel count={many} />;
  if (!node) return null;
  return (
    <aside className="nbf-panel" aria-label={`Node ${node.id}`}>
      <NodeHead node={node}>
        <NodeActions node={node} />
        <Button small sign="wide" label="Input, form and output side by side" action="open" onClick={() => view.wide.set(true)} />
        <Button small sign="close" label="Close the panel" onClick={() => view.panel.set(false)} />
      </NodeHead>
      <NodeTabs key={node.id} node={node} />
    </aside>
  );
}

export function NodeTabs({ node, without = [] }: { node: FlowNode; without?: readonly Tab[] }): React.JSX.Element {
  const { host, view, actions } = useCanvas();
  const chosen = useStore(view.tab);
  const problems = useStore(host.checked).problems.filter((problem) => problem.node === node.id);
  const inSettings = problems.filter(({ field }) => field?.startsWith('settings')).length;
  const all: readonly { name: Tab; title: string; count?: number }[] = [
    { name: 'configure', title: 'Configure', count: problems.length - inSettings },
    { name: 'settings', title: 'Settings', count: inSettings },
    ...(actions.can('inspect') ? [{ name: 'data' as const, title: 'Data' }] : []),
    { name: 'about', title: 'About' },
  ];
  const tabs = all.filter(({ name }) => !without.includes(name));
  const tab = tabs.some(({ name }) => name === chosen) ? chosen : 'configure';
  return (
    <Tabs label={`Node ${node.id}`} tabs={tabs} current={tab} onChoose={(name) => view.tab.set(name)}>
      {tab === 'configure' ? <NodeForm node={node} /> : null}
      {tab === 'settings' ? <SettingsForm node={node} /> : null}
      {tab === 'data' ? <Data node={node.id} /> : null}
      {tab === 'about' ? <NodeAbout node={node} /> : null}
    </Tabs>
  );
}

function Data({ node }: { node: string }): React.JSX.Element {
  return (
    <div className="nbf-data">
      <h4 className="nbf-column-title">Output</h4>
      <NodeData node={node} side="output" />
      <h4 className="nbf-column-title">Input</h4>
      <NodeData node={node} side="input" />
    </div>
  );
}

function SelectionPanel({ count }: { count: number }): React.JSX.Element {
  const { actions } = useCanvas();
  return (
    <aside className="nbf-panel nbf-panel-small" aria-label="Selection">
      <header className="nbf-panel-head"><strong className="nbf-grow">{count} selected</strong></header>
      {actions.readonly ? null : (
        <div className="nbf-stack">
          <Button tone="line" sign="copy" text="Duplicate" label="Duplicate" action="duplicate" onClick={() => actions.duplicate()} />
          <Button tone="line" sign="copy" text="Copy" label="Copy" action="copy" onClick={() => void actions.copy()} />
          <Button tone="line" sign="layout" text="Put into a loop" label="Put into a loop" action="group" onClick={() => actions.group()} />
          <Button tone="line" sign="disable" text="Disable or enable" label="Disable or enable" action="disable" onClick={() => actions.toggle()} />
          <Button tone="danger" sign="trash" text="Delete" label="Delete" action="remove" onClick={() => actions.removeSelected()} />
        </div>
      )}
    </aside>
  );
}
