/** What an operation does to devices, from harmless to irreversible; the order matters. */
export const EFFECTS = ['read', 'change', 'disruptive', 'destructive'] as const;

/** One of {@link EFFECTS}. `read`: nothing; `change`: settings; `disruptive`: reboots, deploys; `destructive`: data is gone. */
export type Effect = (typeof EFFECTS)[number];

/** Whether an effect is allowed under a ceiling. */
export function isWithin(effect: Effect, ceiling: Effect): boolean {
  return EFFECTS.indexOf(effect) <= EFFECTS.indexOf(ceiling);
}
