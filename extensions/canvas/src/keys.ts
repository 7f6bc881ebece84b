/**
 * The keyboard, in one list: it is what the canvas obeys, and what `?` shows. The canvas listens on its own element only, and stops the
 * plain keys and the chords that it takes, so that none reaches the notebook; other chords (Ctrl+S) pass.
 */

export type ActionName =
  | 'help' | 'add' | 'next' | 'before' | 'open' | 'close' | 'rename' | 'remove' | 'copy' | 'cut' | 'paste' | 'duplicate' | 'selectAll' | 'undo' | 'redo'
  | 'link' | 'disable' | 'group' | 'note' | 'layout' | 'fit' | 'zoomIn' | 'zoomOut' | 'zoomFull' | 'run' | 'runTo' | 'runNode' | 'stop' | 'pin' | 'palette'
  | 'left' | 'right' | 'up' | 'down' | 'nudgeLeft' | 'nudgeRight' | 'nudgeUp' | 'nudgeDown' | 'save' | 'problem' | 'panel';

export interface Binding {
  keys: readonly string[]; // "Mod" is Ctrl, or Cmd on a Mac; letters are what is typed, so "?" needs no Shift here
  action: ActionName;
  title: string;
}

export interface Section {
  title: string;
  bindings: readonly Binding[];
}

export const SECTIONS: readonly Section[] = [
  {
    title: 'Build',
    bindings: [
      { keys: ['a', '/'], action: 'add', title: 'Add a node' },
      { keys: ['n'], action: 'next', title: 'What comes next: add after the node' },
      { keys: ['b'], action: 'before', title: 'Add before the node' },
      { keys: ['c'], action: 'link', title: 'Connect: arrows choose the target, Enter connects' },
      { keys: ['g'], action: 'group', title: 'Put the selection into a loop' },
      { keys: ['Shift+N'], action: 'note', title: 'Add a sticky note' },
      { keys: ['l'], action: 'layout', title: 'Lay out automatically' },
    ],
  },
  {
    title: 'Node',
    bindings: [
      { keys: ['Enter'], action: 'open', title: 'Open: input, form and output side by side' },
      { keys: ['Escape'], action: 'close', title: 'Close, or let go of the selection' },
      { keys: ['F2'], action: 'rename', title: 'Rename' },
      { keys: ['d'], action: 'disable', title: 'Disable or enable' },
      { keys: ['p'], action: 'pin', title: 'Pin the output, or let it go' },
      { keys: ['Delete', 'Backspace'], action: 'remove', title: 'Delete' },
    ],
  },
  {
    title: 'Run',
    bindings: [
      { keys: ['r', 'Mod+Enter'], action: 'run', title: 'Run all' },
      { keys: ['t'], action: 'runTo', title: 'Run to here' },
      { keys: ['x'], action: 'runNode', title: 'Run only this node' },
      { keys: ['s'], action: 'stop', title: 'Stop' },
      { keys: ['e'], action: 'problem', title: 'Next problem' },
    ],
  },
  {
    title: 'Edit',
    bindings: [
      { keys: ['Mod+z'], action: 'undo', title: 'Undo' },
      { keys: ['Mod+Shift+z', 'Mod+y'], action: 'redo', title: 'Redo' },
      { keys: ['Mod+c'], action: 'copy', title: 'Copy' },
      { keys: ['Mod+x'], action: 'cut', title: 'Cut' },
      { keys: ['Mod+v'], action: 'paste', title: 'Paste' },
      { keys: ['Mod+d'], action: 'duplicate', title: 'Duplicate' },
      { keys: ['Mod+a'], action: 'selectAll', title: 'Select all' },
    ],
  },
  {
    title: 'Move and see',
    bindings: [
      { keys: ['ArrowLeft'], action: 'left', title: 'To the node on the left' },
      { keys: ['ArrowRight'], action: 'right', title: 'To the node on the right' },
      { keys: ['ArrowUp'], action: 'up', title: 'To the node above' },
      { keys: ['ArrowDown'], action: 'down', title: 'To the node below' },
      { keys: ['Shift+ArrowLeft'], action: 'nudgeLeft', title: 'Move the selection left' },
      { keys: ['Shift+ArrowRight'], action: 'nudgeRight', title: 'Move the selection right' },
      { keys: ['Shift+ArrowUp'], action: 'nudgeUp', title: 'Move the selection up' },
      { keys: ['Shift+ArrowDown'], action: 'nudgeDown', title: 'Move the selection down' },
      { keys: ['f'], action: 'fit', title: 'Zoom to fit' },
      { keys: ['+', '='], action: 'zoomIn', title: 'Zoom in' },
      { keys: ['-'], action: 'zoomOut', title: 'Zoom out' },
      { keys: ['0'], action: 'zoomFull', title: 'Zoom to 100 %' },
      { keys: ['['], action: 'palette', title: 'Show or hide the list of nodes' },
      { keys: [']'], action: 'panel', title: 'Show or hide the panel' },
      { keys: ['?'], action: 'help', title: 'This list' },
    ],
  },
];

const BY_CHORD = new Map(SECTIONS.flatMap(({ bindings }) => bindings.flatMap((binding) => binding.keys.map((key) => [key, binding.action] as const))));

export interface KeyLike {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  shiftKey: boolean;
}

/** "Mod+Shift+z". Shift counts with letters and arrows; a sign such as "?" is what is typed. */
export function chordOf(event: KeyLike): string {
  const mod = event.ctrlKey || event.metaKey;
  const letter = /^[a-z]$/i.test(event.key);
  const shift = event.shiftKey && (letter || event.key.length > 1);
  const key = letter ? (shift && !mod ? event.key.toUpperCase() : event.key.toLowerCase()) : event.key;
  return `${event.altKey ? 'Alt+' : ''}${mod ? 'Mod+' : ''}${shift ? 'Shift+' : ''}${key}`;
}

export function actionFor(event: KeyLike): ActionName | null {
  return BY_CHORD.get(chordOf(event)) ?? null;
}

/** Keys in which people write: the canvas obeys none there but Escape, and still lets none out. */
export function isWriting(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches('input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable=true]');
}

/** Whether a key must not reach the page around the canvas. Chords that nobody here takes do: Ctrl+S saves the notebook. */
export function staysInside(event: KeyLike): boolean {
  if (event.key === 'Tab') return false;
  return !(event.ctrlKey || event.metaKey) || actionFor(event) !== null || event.key === 'Enter';
}

const NAMES: Record<string, string> = { ArrowLeft: '←', ArrowRight: '→', ArrowUp: '↑', ArrowDown: '↓', Escape: 'Esc', Delete: 'Del' };

export function keyLabel(chord: string, mac = false): string {
  return chord
    .split(/(?<=.)\+/)
    .map((part) => (part === 'Mod' ? (mac ? '⌘' : 'Ctrl') : (NAMES[part] ?? (part.length === 1 ? part.toUpperCase() : part))))
    .join(' ');
}

export function keyOf(action: ActionName): string {
  const binding = SECTIONS.flatMap((section) => section.bindings).find((one) => one.action === action);
  return binding?.keys[0] ? keyLabel(binding.keys[0]) : '';
}
