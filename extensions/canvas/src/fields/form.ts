/** What the fields of one node's form share. */

import { createContext, useContext } from 'react';
import type { Word } from '../catalogue';
import type { Credential, Problem } from '../host';
import type { Json } from '../json';
import type { Reach } from '../reach';
import type { Schema } from '../schema';

export interface FormScope {
  node: string;
  root: Schema;
  readonly: boolean;
  expressions: boolean; // whether its values may be expressions
  reach: Reach;
  filters: readonly Word[];
  credentials: readonly Credential[];
  problems: readonly Problem[]; // of this node
  prefix: string; // of element ids
}

const Context = createContext<FormScope | null>(null);
export const FormProvider = Context.Provider;

export function useForm(): FormScope {
  const found = useContext(Context);
  if (!found) throw new Error('outside of a form');
  return found;
}

export type Path = readonly (string | number)[];

/** One field: where it is, what its schema is, what it holds. `undefined` is "as the default". */
export interface FieldProps {
  path: Path;
  schema: Schema;
  value: Json | undefined;
  onChange: (value: Json | undefined) => void;
  lazy: boolean;
  verbatim: boolean;
  required: boolean;
  /** Its name on the screen, when the schema's would say nothing (an item of a list). */
  label?: string;
}

/** Problems of this very field, or anything in it. pydantic puts a union's tag into the place, which no field has: it is skipped. */
export function problemsAt(problems: readonly Problem[], path: Path, deep: boolean): Problem[] {
  const wanted = path.map(String);
  return problems.filter(({ field }) => {
    if (!field) return false;
    const steps = field.split('.');
    const rest = matchSteps(steps, wanted);
    return rest !== null && (deep || rest === 0);
  });
}

/** How many steps are left behind the wanted ones; null when the place is elsewhere. One step that is not wanted may stand between. */
function matchSteps(steps: readonly string[], wanted: readonly string[]): number | null {
  let at = 0;
  let skipped = 0;
  for (const want of wanted) {
    if (steps[at] !== want && at > 0 && skipped < 2 && steps[at + 1] === want) {
      at += 1;
      skipped += 1;
    }
    if (steps[at] !== want) return null;
    at += 1;
  }
  return steps.length - at;
}

/** Problems that no field of the form shows, so that none is lost. */
export function problemsElsewhere(problems: readonly Problem[], names: readonly string[]): Problem[] {
  return problems.filter(({ field }) => !field || !names.includes(field.split('.')[0] ?? ''));
}

export function fieldId(prefix: string, path: Path): string {
  return `${prefix}-f-${path.join('-')}`;
}
