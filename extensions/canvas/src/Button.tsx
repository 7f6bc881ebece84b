import { forwardRef } from 'react';
import { Sign, type SignName } from './Icon';
import { keyOf, type ActionName } from './keys';

interface ButtonProps {
  sign?: SignName;
  label: string; // its accessible name, and its tooltip
  text?: string; // shown beside the sign
  action?: ActionName; // only for the key in the tooltip
  tone?: 'plain' | 'primary' | 'danger' | 'line';
  pressed?: boolean;
  disabled?: boolean;
  small?: boolean;
  onClick: (event: React.MouseEvent) => void;
}

export const Button = forwardRef<HTMLButtonElement, ButtonProps>(function Button({ sign, label, text, action, tone = 'plain', pressed, disabled, small, onClick }, ref) {
  const key = action ? keyOf(action) : '';
  return (
    <button
      ref={ref}
      type="button"
      className={`nbf-button nbf-${tone}${small ? ' nbf-small' : ''}${text ? ' nbf-worded' : ''}`}
      title={key ? `${label} (${key})` : label}
      aria-label={label}
      aria-pressed={pressed}
      disabled={disabled}
      onClick={onClick}
    >
      {sign ? <Sign name={sign} size={small ? 14 : 16} /> : null}
      {text ? <span>{text}</span> : null}
    </button>
  );
});
