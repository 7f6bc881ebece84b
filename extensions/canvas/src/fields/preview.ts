/** What an expression gives, with the values of the last execution. */

import { useEffect, useState } from 'react';
import { useCanvas } from '../context';
import { pieces } from '../expressions';
import type { Value } from '../host';
import { follow, type Reach } from '../reach';
import { useStore } from '../store';

const PAUSE_MS = 350;

export type Preview = { value: Value } | { error: string } | null;

/** Plain paths are looked up here at once; the rest is asked of Python. Null where there is nothing to say. */
export function usePreview(node: string, text: string, bare: boolean, reach: Reach): Preview {
  const { host, actions } = useCanvas();
  const [asked, setAsked] = useState<{ text: string; preview: Preview } | null>(null);
  const samples = useStore(host.samples);
  const pins = useStore(host.pins);
  const path = plainPath(text, bare);
  const found = path === null ? null : follow(path, reach.names);
  const wanted = found === null && (bare ? text.trim() !== '' : text.includes('{{')) && actions.can('evaluate');
  useEffect(() => {
    if (!wanted) return undefined;
    let current = true;
    const timer = setTimeout(() => {
      host.ask('evaluate', { node, text, bare: bare && !text.includes('{{') }).then(
        (answer) => current && setAsked({ text, preview: answer }),
        (error: Error) => current && setAsked({ text, preview: { error: error.message } }),
      );
    }, PAUSE_MS);
    return () => {
      current = false;
      clearTimeout(timer);
    };
    // new values are asked for again; other edits of the flow change none
  }, [wanted, host, node, text, bare, samples, pins]);
  if (found) return { value: { preview: found.value } };
  return wanted && asked?.text === text ? asked.preview : null;
}

/** The path when the whole text is one; `{{ input.name }}` or, bare, `input.name`. */
function plainPath(text: string, bare: boolean): string | null {
  if (bare && !text.includes('{{')) return text;
  const found = pieces(text.trim());
  return found.length === 1 && found[0]?.kind === 'expression' && found[0].closed ? found[0].text : null;
}
