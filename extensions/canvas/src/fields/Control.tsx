import { asText } from '../json';
import { resolve, type FieldShape } from '../schema';
import { CredentialInput } from './CredentialInput';
import { DictInput } from './DictInput';
import { ExpressionBox } from './ExpressionBox';
import type { FieldProps } from './form';
import { useForm } from './form';
import { Choices, CodeInput, DateTimeInput, DurationInput, EnumInput, NumberInput, parsed, Switch, TextInput, unparsed } from './inputs';
import { ListInput } from './ListInput';
import { ObjectInput } from './ObjectInput';
import { ObjectsInput } from './ObjectsInput';
import { UnionInput } from './UnionInput';

export interface ControlProps extends FieldProps {
  id: string;
  label: string;
  shape: FieldShape;
  invalid: boolean;
  describedBy: string;
}

/** The control that a kind of field has. */
export function Control(props: ControlProps): React.JSX.Element {
  const { id, label, shape, value, invalid, describedBy, onChange, lazy } = props;
  const { root, expressions } = useForm();
  const { schema, optional } = shape;
  const input = { id, label, schema, value, optional, invalid, describedBy, onChange };
  const text = (rows: number, bare = false): React.JSX.Element => (
    <ExpressionBox id={id} label={label} value={asText(value)} bare={bare} rows={rows} invalid={invalid} describedBy={describedBy} placeholder={bare ? 'expression' : asText(schema.default ?? schema.examples?.[0])} onChange={(next) => onChange(next === '' && !props.required ? undefined : next)} />
  );
  switch (shape.kind) {
    case 'boolean': return <Switch {...input} />;
    case 'integer': return <NumberInput {...input} whole />;
    case 'number': return <NumberInput {...input} whole={false} />;
    case 'enum': return <EnumInput {...input} />;
    case 'choices': return <Choices {...input} choices={resolve(schema.items ?? {}, root).enum ?? []} />;
    case 'duration': return <DurationInput {...input} />;
    case 'datetime': return <DateTimeInput {...input} />;
    case 'code': return <CodeInput {...input} />;
    case 'credential': return <CredentialInput {...input} secret={false} />;
    case 'secret': return <CredentialInput {...input} secret />;
    case 'expression': return text(1, true);
    case 'multiline': return text(3);
    case 'list': return <ListInput {...props} />;
    case 'dict': return <DictInput {...props} />;
    case 'objects': return <ObjectsInput {...props} />;
    case 'object': return <ObjectInput {...props} />;
    case 'union': return <UnionInput {...props} />;
    case 'any': return (
      <ExpressionBox id={id} label={label} value={unparsed(value)} bare={false} rows={1} invalid={invalid} describedBy={describedBy} placeholder={expressions ? 'text, number, JSON or {{ expression }}' : 'text, number or JSON'} onChange={(next) => onChange(next === '' ? undefined : lazy && next.includes('{{') ? next : parsed(next))} />
    );
    case 'text':
    case 'path':
    case 'url':
    case 'const': return text(1);
    default: return <TextInput {...input} />;
  }
}
