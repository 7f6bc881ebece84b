/** Times and amounts for people. */

export function duration(milliseconds: number | null): string {
  if (milliseconds === null) return '';
  if (milliseconds < 1) return '<1 ms';
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** How long ago, or the date. */
export function ago(moment: string | null, now = Date.now()): string {
  if (moment === null) return '';
  const seconds = Math.max(0, (now - Date.parse(moment)) / 1000);
  if (seconds < 10) return 'just now';
  if (seconds < 60) return `${Math.floor(seconds)} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return new Date(moment).toLocaleDateString(undefined, { day: 'numeric', month: 'short' });
}

export const exactly = (moment: string | null): string => (moment === null ? '' : new Date(moment).toLocaleString());
