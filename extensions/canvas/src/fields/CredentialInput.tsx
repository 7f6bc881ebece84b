import { asText } from '../json';
import { useForm } from './form';
import type { InputProps } from './inputs';

/** The name of a credential. A secret itself is never typed into a flow: for fields that would hold one there is only this. */
export function CredentialInput({ id, label, schema, value, invalid, describedBy, onChange, secret }: InputProps & { secret: boolean }): React.JSX.Element {
  const { credentials, readonly } = useForm();
  const wanted = schema['x-nbflow-kind'];
  const kinds = wanted === undefined ? null : Array.isArray(wanted) ? wanted : [wanted];
  const fitting = kinds ? credentials.filter(({ kind }) => kinds.includes(kind)) : credentials;
  const current = asText(value);
  return (
    <div>
      <select id={id} className="nbf-input" value={current} disabled={readonly} aria-label={label} aria-invalid={invalid} aria-describedby={describedBy} onChange={(event) => onChange(event.target.value || undefined)}>
        <option value="">{fitting.length ? 'none' : 'no credentials yet'}</option>
        {fitting.map(({ name, kind }) => (
          <option key={name} value={name}>
            {name} ({kind})
          </option>
        ))}
        {current && !fitting.some(({ name }) => name === current) ? <option value={current}>{secret ? 'a value, not a credential' : `${current} (not found)`}</option> : null}
      </select>
      {fitting.length ? null : (
        <p className="nbf-about">
          In a cell: <code className="nbf-inline-code">nf.credentials.add("name"{kinds?.[0] ? `, "${kinds[0]}"` : ''})</code> shows a form.
        </p>
      )}
    </div>
  );
}
