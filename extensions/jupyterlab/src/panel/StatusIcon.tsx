/** A status as a sign and a word: not by colour alone. */

const SIGNS: Record<string, string> = {
  pending: 'M8 4.5v3.800l2.5 1.5',
  waiting: 'M8 4.5v3.800l2.5 1.5',
  completed: 'M4.800 8.200l2.300 2.300 4.200-4.800',
  failed: 'M5.5 5.5l5 5m0-5l-5 5',
  cancelled: 'M5 8h6',
  skipped: 'M5.5 5l3 3-3 3m3.5-6l0 6',
};

export function StatusIcon({ status }: { status: string }): React.JSX.Element {
  const sign = SIGNS[status];
  return (
    <svg className={`nbl-status nbl-${status}`} viewBox="0 0 16 16" width="16" height="16" role="img" aria-label={status}>
      <title>{status}</title>
      <circle cx="8" cy="8" r="6.5" className="nbl-status-ring" />
      {sign === undefined ? <path d="M8 1.5a6.5 6.5 0 0 1 6.5 6.5" className="nbl-status-turn" /> : <path d={sign} className="nbl-status-sign" />}
    </svg>
  );
}
