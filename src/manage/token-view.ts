import type { Effect } from '../domain/effect.ts';
import type { Scope } from '../domain/scope.ts';
import type { Token } from '../domain/token.ts';

/** What anybody sees of a token after it was made. */
export interface TokenView {
  readonly id: string;
  readonly team: string;
  readonly app: string;
  readonly scopes: readonly Scope[];
  /** The strongest effect that it may have. */
  readonly effects: Effect;
  /** Address ranges from which it may be used; empty: any. */
  readonly from: readonly string[];
  /** The most urgent `Priority: u=` that it may ask for. */
  readonly urgency: number;
  readonly state: 'active' | 'expired' | 'revoked';
  /** `expiring`: within 14 days; `unused`: not for 30 days, or never and a week old. */
  readonly notices: readonly ('expiring' | 'unused')[];
  /** ISO times. */
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly revokedAt: string | null;
  readonly lastUsedAt: string | null;
  /** Until when the secret before the last rotation still works; null when it does not. */
  readonly graceUntil: string | null;
}

const DAY_MS = 86_400_000;
const EXPIRING_MS = 14 * DAY_MS;
const UNUSED_MS = 30 * DAY_MS;
const NEVER_USED_MS = 7 * DAY_MS;

export function tokenView(token: Token, team: string, app: string, nowEpochMs: number): TokenView {
  const state = token.revokedAt !== undefined ? 'revoked' : token.expiresAt <= nowEpochMs ? 'expired' : 'active';
  const inGrace = state === 'active' && token.graceUntil !== undefined && token.graceUntil > nowEpochMs;
  return {
    id: token.id,
    team,
    app,
    scopes: token.scopes,
    effects: token.effectCeiling,
    from: token.addressRanges,
    urgency: token.urgencyMin,
    state,
    notices: state === 'active' ? noticesOf(token, nowEpochMs) : [],
    createdAt: iso(token.createdAt),
    expiresAt: iso(token.expiresAt),
    revokedAt: token.revokedAt === undefined ? null : iso(token.revokedAt),
    lastUsedAt: token.lastUsedAt === undefined ? null : iso(token.lastUsedAt),
    graceUntil: inGrace && token.graceUntil !== undefined ? iso(token.graceUntil) : null,
  };
}

function noticesOf(token: Token, nowEpochMs: number): ('expiring' | 'unused')[] {
  const notices: ('expiring' | 'unused')[] = [];
  if (token.expiresAt - nowEpochMs < EXPIRING_MS) notices.push('expiring');
  const idleMs = nowEpochMs - (token.lastUsedAt ?? token.createdAt);
  if (idleMs > (token.lastUsedAt === undefined ? NEVER_USED_MS : UNUSED_MS)) notices.push('unused');
  return notices;
}

function iso(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
