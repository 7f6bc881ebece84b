/** Single controls: each shows one value and gives the next. */

import { useRef, useState } from 'react';
import { iso, readable } from '../duration';
import { asText, type Json } from '../json';
import type { Schema } from '../schema';
import { useDraft } from './draft';
import { useFittingHeight } from './ExpressionBox';
import { useForm } from './form';

export interface InputProps {
  id: string;
  label: string;
  schema: Schema;
  value: Json | undefined; // undefined: not set, the default holds
  optional: boolean; // null is "not set"
  invalid: boolean;
  describedBy?: string;
  onChange: (value: Json | undefined) => void;
}

export function TextInput({ id, label, schema, value, invalid, describedBy, onChange, hint }: InputProps & { hint?: string }): React.JSX.Element {
  const { readonly } = useForm();
  const draft = useDraft(asText(value), (text) => onChange(text === '' && schema.default !== '' ? undefined : text));
  return (
    <input
      id={id}
      className="nbf-input"
      value={draft.text}
      readOnly={readonly}
      placeholder={hint ?? asText(schema.default ?? schema.examples?.[0])}
      aria-label={label}
      aria-invalid={invalid}
      aria-describedby={describedBy}
      onChange={(event) => draft.type(event.target.value)}
      onBlur={draft.flush}
    />
  );
}

export function NumberInput({ id, label, schema, value, invalid, describedBy, onChange, whole }: InputProps & { whole: boolean }): React.JSX.Element {
  const { readonly } = useForm();
  const [wrong, setWrong] = useState(false);
  const draft = useDraft(asText(value), (text) => {
    const number = Number(text);
    setWrong(text.trim() !== '' && !Number.isFinite(number));
    if (text.trim() === '') onChange(undefined);
    else if (Number.isFinite(number)) onChange(whole ? Math.round(number) : number);
  });
  return (
    <input
      id={id}
      className="nbf-input nbf-number"
      inputMode={whole ? 'numeric' : 'decimal'}
      value={draft.text}
      readOnly={readonly}
      placeholder={asText(schema.default)}
      aria-label={label}
      aria-invalid={invalid || wrong}
      aria-describedby={describedBy}
      onChange={(event) => draft.type(event.target.value)}
      onKeyDown={(event) => {
        if (event.key !== 'ArrowUp' && event.key !== 'ArrowDown') return;
        event.preventDefault();
        const base = Number(draft.text || schema.default || 0);
        const next = base + (event.key === 'ArrowUp' ? 1 : -1);
        if (Number.isFinite(next) && next >= (schema.minimum ?? -Infinity) && next <= (schema.maximum ?? Infinity)) draft.type(String(next));
      }}
      onBlur={draft.flush}
    />
  );
}

/** "5 min", "1h 30m", "90": kept as ISO 8601. */
export function DurationInput({ id, label, schema, value, invalid, describedBy, onChange }: InputProps): React.JSX.Element {
  const { readonly } = useForm();
  const [wrong, setWrong] = useState(false);
  const shown = typeof value === 'number' ? readable(`PT${value}S`) : readable(asText(value));
  const draft = useDraft(shown, (text) => {
    const next = text.trim() === '' ? undefined : iso(text);
    setWrong(next === null);
    if (next !== null) onChange(next);
    else onChange(text); // Python tells what is wrong with it
  });
  return (
    <input
      id={id}
      className="nbf-input nbf-short"
      value={draft.text}
      readOnly={readonly}
      placeholder={schema.default ? readable(asText(schema.default)) : 'e.g. 5 min'}
      aria-label={label}
      aria-invalid={invalid || wrong}
      aria-describedby={describedBy}
      onChange={(event) => draft.type(event.target.value)}
      onBlur={draft.flush}
    />
  );
}

/** With seconds and without a zone, as the schema wants it; a zone that is there stays. */
export function DateTimeInput({ id, label, value, invalid, describedBy, onChange }: InputProps): React.JSX.Element {
  const { readonly } = useForm();
  const text = asText(value);
  const [, moment = '', zone = ''] = /^(\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?)(.*)$/.exec(text) ?? [];
  return (
    <span className="nbf-row">
      <input
        id={id}
        type="datetime-local"
        step={1}
        className="nbf-input"
        value={moment}
        readOnly={readonly}
        aria-label={label}
        aria-invalid={invalid}
        aria-describedby={describedBy}
        onChange={(event) => onChange(event.target.value ? event.target.value + zone : undefined)}
      />
      <select className="nbf-input nbf-short" value={zone} disabled={readonly || !moment} aria-label={`${label}: zone`} onChange={(event) => onChange(moment + event.target.value)}>
        <option value="">flow's zone</option>
        <option value="Z">UTC</option>
        {zone && zone !== 'Z' ? <option value={zone}>{zone}</option> : null}
      </select>
    </span>
  );
}

export function Switch({ id, label, value, schema, describedBy, onChange }: InputProps): React.JSX.Element {
  const { readonly } = useForm();
  const on = value === undefined ? schema.default === true : value === true;
  return (
    <button
      id={id}
      type="button"
      role="switch"
      className="nbf-switch"
      aria-checked={on}
      aria-label={label}
      aria-describedby={describedBy}
      disabled={readonly}
      onClick={() => onChange(schema.default === !on ? undefined : !on)}
    >
      <span className="nbf-switch-knob" />
    </button>
  );
}

/** Up to four short choices stand side by side; more fold into a list. */
export function EnumInput({ id, label, schema, value, optional, invalid, describedBy, onChange }: InputProps): React.JSX.Element {
  const { readonly } = useForm();
  const choices = schema.enum ?? [];
  const current = value === undefined ? schema.default : value;
  const wordy = choices.map((choice) => choiceLabel(choice)).join('').length;
  const set = (choice: Json): void => onChange(choice === schema.default ? undefined : choice);
  if (choices.length <= 4 && wordy <= 30 && !optional) {
    return (
      <span id={id} className="nbf-segments" role="radiogroup" aria-label={label} aria-describedby={describedBy}>
        {choices.map((choice, place) => (
          <button
            key={String(choice)}
            type="button"
            role="radio"
            className="nbf-segment"
            aria-checked={current === choice}
            tabIndex={current === choice || (place === 0 && !choices.includes(current ?? null)) ? 0 : -1}
            disabled={readonly}
            onClick={() => set(choice)}
            onKeyDown={(event) => {
              const step = event.key === 'ArrowRight' || event.key === 'ArrowDown' ? 1 : event.key === 'ArrowLeft' || event.key === 'ArrowUp' ? -1 : 0;
              if (!step) return;
              event.preventDefault();
              const next = (place + step + choices.length) % choices.length;
              set(choices[next] ?? null);
              (event.currentTarget.parentElement?.children[next] as HTMLElement | undefined)?.focus();
            }}
          >
            {choiceLabel(choice)}
          </button>
        ))}
      </span>
    );
  }
  const known = choices.some((choice) => choice === current);
  return (
    <select
      id={id}
      className="nbf-input"
      value={known ? String(choices.indexOf(current ?? null)) : 'none'}
      disabled={readonly}
      aria-label={label}
      aria-invalid={invalid}
      aria-describedby={describedBy}
      onChange={(event) => (event.target.value === 'none' ? onChange(undefined) : set(choices[Number(event.target.value)] ?? null))}
    >
      {known && !optional ? null : <option value="none">{current === undefined || current === null ? 'not set' : asText(current)}</option>}
      {choices.map((choice, place) => (
        <option key={String(choice)} value={place}>
          {choiceLabel(choice)}
        </option>
      ))}
    </select>
  );
}

export function choiceLabel(choice: Json): string {
  if (choice === '\n') return 'LF';
  if (choice === '\r\n') return 'CR LF';
  return typeof choice === 'string' && /^[a-z_]+$/.test(choice) ? choice.replace(/_/g, ' ') : asText(choice);
}

/** Several of a closed set. */
export function Choices({ label, schema, value, onChange, choices }: InputProps & { choices: readonly Json[] }): React.JSX.Element {
  const { readonly } = useForm();
  const current = Array.isArray(value) ? value : Array.isArray(schema.default) ? schema.default : [];
  return (
    <span className="nbf-chips" role="group" aria-label={label}>
      {choices.map((choice) => {
        const on = current.includes(choice);
        return (
          <button key={String(choice)} type="button" className="nbf-chip" aria-pressed={on} disabled={readonly} onClick={() => onChange(on ? current.filter((one) => one !== choice) : choices.filter((one) => one === choice || current.includes(one)))}>
            {choiceLabel(choice)}
          </button>
        );
      })}
    </span>
  );
}

/** Source code. Tab indents; Escape, then Tab, leaves. */
export function CodeInput({ id, label, schema, value, invalid, describedBy, onChange }: InputProps): React.JSX.Element {
  const { readonly } = useForm();
  const area = useRef<HTMLTextAreaElement>(null);
  const leaving = useRef(false);
  const draft = useDraft(asText(value), (text) => onChange(text === '' ? undefined : text));
  useFittingHeight(area, draft.text, 6);
  return (
    <textarea
      ref={area}
      id={id}
      className="nbf-input nbf-area nbf-code nbf-source"
      rows={6}
      value={draft.text}
      readOnly={readonly}
      spellCheck={false}
      wrap="off"
      aria-label={`${label}${schema['x-nbflow-language'] ? ` (${schema['x-nbflow-language']})` : ''}`}
      aria-invalid={invalid}
      aria-describedby={describedBy}
      onChange={(event) => draft.type(event.target.value)}
      onKeyDown={(event) => {
        if (event.key === 'Escape' && !leaving.current) {
          leaving.current = true;
          event.preventDefault();
          return;
        }
        if (event.key === 'Tab' && !leaving.current && !event.shiftKey) {
          event.preventDefault();
          event.currentTarget.setRangeText('    ', event.currentTarget.selectionStart, event.currentTarget.selectionEnd, 'end');
          draft.type(event.currentTarget.value);
        }
        if (event.key !== 'Tab') leaving.current = false;
      }}
      onBlur={draft.flush}
    />
  );
}

/** Any JSON; what is no JSON is a text. */
export function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

/** The text from which `parsed` makes the value again. */
export function unparsed(value: Json | undefined): string {
  if (value === undefined || value === null) return '';
  if (typeof value !== 'string') return JSON.stringify(value, null, typeof value === 'object' ? 2 : 0);
  return value.includes('{{') || parsed(value) === value ? value : JSON.stringify(value);
}
