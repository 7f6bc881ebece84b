/** ISO 8601 durations as people write them. */

const UNITS = [['d', 86_400], ['h', 3600], ['min', 60], ['s', 1]] as const;
const ISO = /^P(?:(\d+(?:\.\d+)?)D)?(?:T(?:(\d+(?:\.\d+)?)H)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)S)?)?$/;
const PART = /(\d+(?:\.\d+)?)\s*(ms|milliseconds?|s|sec|seconds?|m|min|minutes?|h|hours?|d|days?)?(?![a-z])/gy;

/** "PT90S" as "1 min 30 s"; other texts stay. */
export function readable(iso: string): string {
  const seconds = secondsOf(iso);
  if (seconds === null) return iso;
  if (seconds === 0) return '0 s';
  let left = seconds;
  const parts: string[] = [];
  for (const [unit, size] of UNITS) {
    const whole = unit === 's' ? Math.round(left * 1e6) / 1e6 : Math.floor(left / size);
    if (whole > 0) parts.push(`${whole} ${unit}`);
    left -= whole * size;
  }
  return parts.join(' ');
}

function secondsOf(iso: string): number | null {
  const match = ISO.exec(iso);
  if (!match || iso.length < 3) return null;
  return [86_400, 3600, 60, 1].reduce((sum, size, place) => sum + Number(match[place + 1] ?? 0) * size, 0);
}

/** "5 min", "1h 30m", "90" (seconds) or ISO as ISO in seconds; null when it is none of these. */
export function iso(text: string): string | null {
  const trimmed = text.trim().toLowerCase();
  const given = secondsOf(trimmed.toUpperCase());
  if (given !== null) return `PT${given}S`;
  let seconds = 0;
  let at = 0;
  while (at < trimmed.length) {
    PART.lastIndex = at;
    const part = PART.exec(trimmed);
    if (!part) return null;
    const unit = part[2] ?? 's';
    seconds += Number(part[1]) * (unit.startsWith('milli') || unit === 'ms' ? 0.001 : unit.startsWith('d') ? 86_400 : unit.startsWith('h') ? 3600 : unit.startsWith('m') ? 60 : 1);
    at = PART.lastIndex;
    while (/[\s,]/.test(trimmed[at] ?? 'x')) at += 1;
  }
  return trimmed ? `PT${Math.round(seconds * 1e6) / 1e6}S` : null;
}
