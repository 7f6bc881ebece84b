/** What every part of a view reaches for: the editor, the view's state, the actions. */

import { createContext, useContext } from 'react';
import type { Actions } from './actions';
import type { Editor } from './editor';
import type { Host } from './host';
import type { View } from './view';

export interface Surroundings {
  host: Host;
  editor: Editor;
  view: View;
  actions: Actions;
  /** Prefix of element ids: two canvases on one page must not share them. */
  prefix: string;
}

const Context = createContext<Surroundings | null>(null);
export const SurroundingsProvider = Context.Provider;

export function useCanvas(): Surroundings {
  const found = useContext(Context);
  if (!found) throw new Error('outside of a canvas');
  return found;
}

/** True where nodes are drawn as coloured boxes. */
export const FarContext = createContext(false);
export const useFar = (): boolean => useContext(FarContext);
