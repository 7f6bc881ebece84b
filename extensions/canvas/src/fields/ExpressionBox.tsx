import { useEffect, useId, useLayoutEffect, useRef, useState } from 'react';
import { accept, complete, type Completion } from '../completion';
import { brief } from '../reach';
import { useDraft } from './draft';
import { useForm } from './form';
import { usePreview } from './preview';

interface Props {
  id: string;
  value: string;
  bare: boolean; // the whole text is an expression, without braces
  label: string;
  placeholder?: string;
  rows?: number;
  invalid: boolean;
  describedBy?: string;
  onChange: (text: string) => void;
}

const MOST_ROWS = 14;

/** A text with expressions in it: completes what can be reached from here, and shows what comes of it. */
export function ExpressionBox({ id, value, bare, label, placeholder, rows = 1, invalid, describedBy, onChange }: Props): React.JSX.Element {
  const { node, readonly, reach, filters, expressions } = useForm();
  const list = useId();
  const area = useRef<HTMLTextAreaElement>(null);
  const draft = useDraft(value, onChange);
  const [open, setOpen] = useState<{ completion: Completion; at: number } | null>(null);
  const caret = useRef<number | null>(null);
  const preview = usePreview(node, expressions ? value : '', bare, reach);
  const isExpression = expressions && (bare || draft.text.includes('{{'));

  useLayoutEffect(() => {
    // as tall as its text, within reason
    if (area.current && caret.current !== null) area.current.setSelectionRange(caret.current, caret.current);
    caret.current = null;
  });
  useFittingHeight(area, draft.text, rows);

  const offer = (text: string, at: number): void => {
    const completion = readonly || !expressions ? null : complete(text, at, bare, reach, filters);
    setOpen(completion && { completion, at: 0 });
  };
  const take = (place: number): void => {
    const option = open?.completion.options[place];
    if (!open || !option || !area.current) return;
    const done = accept(draft.text, area.current.selectionStart, open.completion, option);
    caret.current = done.caret;
    draft.type(done.text);
    setOpen(null);
  };
  const onKeyDown = (event: React.KeyboardEvent): void => {
    if ((event.ctrlKey || event.altKey) && event.key === ' ') {
      event.preventDefault();
      offer(draft.text, area.current?.selectionStart ?? 0);
    } else if (!open) return;
    else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      const count = open.completion.options.length;
      setOpen({ ...open, at: (open.at + (event.key === 'ArrowDown' ? 1 : count - 1)) % count });
    } else if (event.key === 'Enter' || event.key === 'Tab') {
      event.preventDefault();
      take(open.at);
    } else if (event.key === 'Escape') {
      event.preventDefault();
      setOpen(null);
    }
  };

  return (
    <div className={`nbf-expression${isExpression ? ' nbf-is-expression' : ''}`}>
      {isExpression ? <span className="nbf-fx" aria-hidden="true">fx</span> : null}
      <textarea
        ref={area}
        id={id}
        className={`nbf-input nbf-area${isExpression ? ' nbf-code' : ''}`}
        rows={rows}
        value={draft.text}
        readOnly={readonly}
        placeholder={placeholder}
        spellCheck={!isExpression}
        autoComplete="off"
        role="combobox"
        aria-label={label}
        aria-autocomplete="list"
        aria-expanded={open !== null}
        aria-controls={list}
        aria-activedescendant={open ? `${list}-${open.at}` : undefined}
        aria-invalid={invalid}
        aria-describedby={describedBy}
        onChange={(event) => {
          draft.type(event.target.value);
          offer(event.target.value, event.target.selectionStart);
        }}
        onKeyDown={onKeyDown}
        onBlur={() => {
          setOpen(null);
          draft.flush();
        }}
        onDrop={(event) => {
          // a place of a value, dragged from the data: in a bare expression it needs no braces
          const text = event.dataTransfer.getData('text/plain');
          if (!bare || !text.startsWith('{{')) return;
          event.preventDefault();
          draft.type(draft.text + text.slice(2, -2).trim());
        }}
      />
      {open ? <Completions id={list} completion={open.completion} at={open.at} onTake={take} /> : null}
      {isExpression ? <PreviewLine preview={preview} /> : null}
    </div>
  );
}

function Completions({ id, completion, at, onTake }: { id: string; completion: Completion; at: number; onTake: (place: number) => void }): React.JSX.Element {
  const chosen = useRef<HTMLLIElement>(null);
  useEffect(() => void chosen.current?.scrollIntoView?.({ block: 'nearest' }), [at]); // a promise in new browsers
  return (
    <ul id={id} className="nbf-completions" role="listbox" aria-label="Completions">
      {completion.options.map((option, place) => (
        <li
          key={option.label}
          ref={place === at ? chosen : null}
          id={`${id}-${place}`}
          className="nbf-completion"
          role="option"
          aria-selected={place === at}
          // before the blur that a click would bring
          onPointerDown={(event) => {
            event.preventDefault();
            onTake(place);
          }}
        >
          <span className="nbf-completion-name">{option.label}</span>
          <span className="nbf-completion-detail">{option.detail}</span>
        </li>
      ))}
    </ul>
  );
}

function PreviewLine({ preview }: { preview: ReturnType<typeof usePreview> }): React.JSX.Element | null {
  if (!preview) return null;
  if ('error' in preview) return <div className="nbf-preview nbf-preview-error">{preview.error}</div>;
  const text = told(preview.value.preview);
  return (
    <div className="nbf-preview" title={text}>
      <span aria-label="gives">=</span> {text}
    </div>
  );
}

function told(value: Parameters<typeof brief>[0]): string {
  if (value === null) return 'nothing (null)';
  if (typeof value === 'string') return value === '' ? '(empty text)' : value;
  return typeof value === 'object' ? `${brief(value)}  ${JSON.stringify(value).slice(0, 160)}` : brief(value);
}

export function useFittingHeight(area: React.RefObject<HTMLTextAreaElement>, text: string, rows: number): void {
  useLayoutEffect(() => {
    const element = area.current;
    if (!element) return;
    element.style.height = 'auto';
    const line = 18;
    element.style.height = `${Math.min(Math.max(element.scrollHeight + 2, rows * line + 12), MOST_ROWS * line + 12)}px`;
  }, [area, text, rows]);
}
