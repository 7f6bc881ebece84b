/** Asks for a workflow's parameters before it runs. */

import { Dialog, ReactWidget } from '@jupyterlab/apputils';
import { fieldsOf, typedFor, valuesOf, type Field } from './parameters';
import { messageOf } from '../server';

/** The values; null when somebody thought better of it. Nothing is asked where there are no parameters. */
export async function askForParameters(name: string, parameters: unknown, proposed: Readonly<Record<string, unknown>> = {}): Promise<Record<string, unknown> | null> {
  const fields = fieldsOf(parameters);
  if (fields.length === 0) return {};
  let body = new Form(fields, typedFor(fields, proposed));
  for (;;) {
    const buttons = [Dialog.cancelButton(), Dialog.okButton({ label: 'Run' })];
    const { button } = await new Dialog({ title: `Run ${name}`, body, buttons, focusNodeSelector: 'input, select, textarea' }).launch();
    if (!button.accept) return null;
    try {
      return valuesOf(fields, body.typed);
    } catch (error) {
      body = new Form(fields, { ...body.typed }, messageOf(error)); // the dialog has taken the first with it
    }
  }
}

class Form extends ReactWidget {
  constructor(
    private readonly fields: readonly Field[],
    readonly typed: Record<string, string> = {},
    private readonly trouble = '',
  ) {
    super();
    this.addClass('nbl-form');
  }

  protected render(): React.JSX.Element {
    return (
      <>
        {this.trouble ? (
          <p className="nbl-callout nbl-bad" role="alert">
            {this.trouble}
          </p>
        ) : null}
        {this.fields.map((field) => (
          <label key={field.name}>
            <span className="nbl-name">
              {field.title}
              {field.required ? ' *' : ''}
            </span>
            <Input field={field} initial={this.typed[field.name] ?? field.initial} onChange={(text) => (this.typed[field.name] = text)} />
            {field.about ? <span className="nbl-more">{field.about}</span> : null}
          </label>
        ))}
      </>
    );
  }
}

function Input({ field, initial, onChange }: { field: Field; initial: string; onChange: (text: string) => void }): React.JSX.Element {
  const common = { className: 'nbl-input', 'aria-required': field.required };
  if (field.kind === 'boolean') return <input type="checkbox" defaultChecked={initial === 'true'} onChange={(event) => onChange(String(event.target.checked))} />;
  if (field.kind === 'json') return <textarea {...common} rows={3} placeholder="JSON" defaultValue={initial} onChange={(event) => onChange(event.target.value)} />;
  if (field.kind === 'choice') {
    return (
      <select {...common} defaultValue={initial} onChange={(event) => onChange(event.target.value)}>
        {initial === '' ? <option value="" /> : null}
        {field.choices.map((choice) => (
          <option key={choice}>{choice}</option>
        ))}
      </select>
    );
  }
  return <input {...common} type="text" inputMode={field.kind === 'number' ? 'decimal' : 'text'} defaultValue={initial} onChange={(event) => onChange(event.target.value)} />;
}
