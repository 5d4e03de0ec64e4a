const UNITS_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Reads `90d`, `24h`, `15m`, `30s`, `0s` as milliseconds. Undefined when it is none of these or above 100 years. */
export function parseDurationMs(text: string): number | undefined {
  const match = /^(\d{1,10})(s|m|h|d)$/.exec(text);
  if (match === null) return undefined;
  const durationMs = Number(match[1]) * UNITS_MS[match[2] as keyof typeof UNITS_MS];
  return durationMs <= 36_525 * UNITS_MS.d ? durationMs : undefined;
}

/** The inverse, in the largest unit that fits without rest: `90d`. */
export function formatDuration(durationMs: number): string {
  for (const unit of ['d', 'h', 'm'] as const) {
    if (durationMs >= UNITS_MS[unit] && durationMs % UNITS_MS[unit] === 0)
      return `${durationMs / UNITS_MS[unit]}${unit}`;
  }
  return `${Math.round(durationMs / UNITS_MS.s)}s`;
}

/**
 * Reads an instant: an ISO time (`2026-11-23`, `2026-11-23T10:00:00Z`; without a zone it is this machine's), `15m`, `2h` or `7d`
 * before now, or milliseconds since 1970. Undefined when it is none of these.
 */
export function parseInstantMs(text: string, nowEpochMs: number): number | undefined {
  const agoMs = parseDurationMs(text);
  if (agoMs !== undefined) return nowEpochMs - agoMs;
  if (/^\d{11,14}$/.test(text)) return Number(text);
  // Date.parse alone takes much that is no ISO time: "Friday 13" becomes the year 2001.
  if (!/^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2})?)?$/.test(text))
    return undefined;
  const epochMs = Date.parse(text);
  return Number.isNaN(epochMs) ? undefined : epochMs;
}
