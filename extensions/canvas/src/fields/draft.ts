/** What is being typed: the flow follows after a short pause, or when the field is left. */

import { useCallback, useEffect, useRef, useState } from 'react';

const PAUSE_MS = 200;

export interface Draft {
  text: string;
  type: (text: string) => void;
  flush: () => void;
}

export function useDraft(value: string, commit: (text: string) => void): Draft {
  const [text, setText] = useState(value);
  const latest = useRef({ commit, dirty: false, text: value });
  latest.current.commit = commit;
  const timer = useRef<ReturnType<typeof setTimeout>>();

  const flush = useCallback(() => {
    clearTimeout(timer.current);
    if (!latest.current.dirty) return;
    latest.current.dirty = false;
    latest.current.commit(latest.current.text);
  }, []);

  const type = useCallback(
    (next: string) => {
      setText(next);
      latest.current.text = next;
      latest.current.dirty = true;
      clearTimeout(timer.current);
      timer.current = setTimeout(flush, PAUSE_MS);
    },
    [flush],
  );

  useEffect(() => {
    if (latest.current.dirty) return;
    latest.current.text = value;
    setText(value);
  }, [value]);

  useEffect(() => flush, [flush]);
  return { text, type, flush };
}
