/** An instant as people here read it: ISO, this machine's zone, whole seconds: `2026-11-23T11:00:00+01:00`. */
export function localTime(instant: number | string): string {
  const date = new Date(instant);
  if (Number.isNaN(date.getTime())) return '?';
  const offsetMinutes = -date.getTimezoneOffset();
  const shifted = new Date(date.getTime() + offsetMinutes * 60_000).toISOString().slice(0, 19);
  const size = Math.abs(offsetMinutes);
  return `${shifted}${offsetMinutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
