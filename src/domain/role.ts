import type { Effect } from './effect.ts';

/**
 * What people are to a team: `viewer` reads; `member` also changes; `lead` also disrupts and, with confirmation, destroys, and
 * manages the team's apps, tokens and keys and reads its record; `auditor` reads the record and calls nothing; `operator`
 * manages everything and calls nothing.
 */
export const ROLES = ['viewer', 'member', 'lead', 'auditor', 'operator'] as const;

/** One of {@link ROLES}. */
export type Role = (typeof ROLES)[number];

/** Roles that may call Mason's API, from least to most, with the worst effect that each may have. */
export const CALLING_ROLES = { viewer: 'read', member: 'change', lead: 'destructive' } as const satisfies Partial<
  Record<Role, Effect>
>;
