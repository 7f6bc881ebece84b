import { expect, test } from 'vitest';
import { actionFor, chordOf, isWriting, keyLabel, SECTIONS, staysInside, type KeyLike } from '../src/keys';

const press = (key: string, held: Partial<KeyLike> = {}): KeyLike => ({ key, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...held });

test('no chord has two meanings', () => {
  const chords = SECTIONS.flatMap(({ bindings }) => bindings.flatMap(({ keys }) => keys));
  expect(new Set(chords).size).toBe(chords.length);
});

test('keys are known as they are typed, on any keyboard', () => {
  expect(actionFor(press('?', { shiftKey: true }))).toBe('help');
  expect(actionFor(press('Z', { ctrlKey: true, shiftKey: true }))).toBe('redo');
  expect(actionFor(press('z', { metaKey: true }))).toBe('undo');
  expect(actionFor(press('ArrowUp', { shiftKey: true }))).toBe('nudgeUp');
  expect(chordOf(press('n', { shiftKey: true }))).toBe('Shift+N');
});

test('plain keys never reach the notebook', () => {
  for (const key of ['a', 'b', 'x', 'd', 'm', 'y', 'z', '0', 'Enter', ' ', 'Delete', 'Escape', 'F2']) expect(staysInside(press(key))).toBe(true);
  expect(staysInside(press('Enter', { shiftKey: true }))).toBe(true);
  expect(staysInside(press('Enter', { ctrlKey: true }))).toBe(true);
});

test('chords that the canvas does not take do: saving, the page, the palette', () => {
  for (const key of ['s', 'f', 'p', 'r', 'k']) expect(staysInside(press(key, { ctrlKey: true }))).toBe(false);
  expect(staysInside(press('C', { ctrlKey: true, shiftKey: true }))).toBe(false);
  expect(staysInside(press('Tab'))).toBe(false);
});

test('while somebody writes, letters are letters', () => {
  const input = document.createElement('input');
  const box = Object.assign(document.createElement('input'), { type: 'checkbox' });
  expect(isWriting(input)).toBe(true);
  expect(isWriting(box)).toBe(false);
  expect(isWriting(document.createElement('button'))).toBe(false);
});

test('keys are named as people know them', () => {
  expect(keyLabel('Mod+Shift+z')).toBe('Ctrl Shift Z');
  expect(keyLabel('Mod+z', true)).toBe('⌘ Z');
  expect(keyLabel('+')).toBe('+');
});
