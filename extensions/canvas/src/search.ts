/** Which node types a few typed letters mean. */

import type { NodeType } from './catalogue';

/** Best first: the title's beginning, a word's beginning, anywhere in the title, the type, the summary. All words must be found. */
export function search(types: readonly NodeType[], text: string): NodeType[] {
  const words = text.trim().toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return [...types];
  const found = types.flatMap((type) => {
    const scores = words.map((word) => score(type, word));
    return scores.includes(0) ? [] : [{ type, score: scores.reduce((sum, one) => sum + one, 0) }];
  });
  // equal ones stay in the catalogue's order
  return found.sort((one, other) => other.score - one.score).map(({ type }) => type);
}

function score({ type, title, summary, doc = '' }: NodeType, word: string): number {
  const name = title.toLowerCase();
  if (name.startsWith(word)) return 8;
  if (name.split(/\W+/).some((part) => part.startsWith(word))) return 6;
  if (type.toLowerCase().split(/[.:_]/).some((part) => part.startsWith(word))) return 5;
  if (name.includes(word) || type.toLowerCase().includes(word)) return 4;
  if (summary.toLowerCase().includes(word)) return 2;
  return doc.toLowerCase().includes(word) ? 1 : 0;
}

export interface Group {
  name: string;
  title: string;
  types: readonly NodeType[];
}

/** In the order of the catalogue's groups; groups that it does not name come last. */
export function grouped(groups: readonly { name: string; title: string }[], types: readonly NodeType[]): Group[] {
  const names = [...new Set([...groups.map(({ name }) => name), ...types.map(({ group }) => group)])];
  return names
    .map((name) => ({ name, title: groups.find((group) => group.name === name)?.title ?? name, types: types.filter((type) => type.group === name) }))
    .filter((group) => group.types.length > 0);
}
