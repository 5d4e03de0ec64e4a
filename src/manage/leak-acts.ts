import { z } from 'zod';
import { isWellFormedToken, tokenDigest } from '../vault/tokens.ts';
import { type Act, type ActDeps, changing } from './act.ts';
import type { Reach } from './reach.ts';

/** What became of one string that may be a leaked token. In the order in which they were given; the strings are not repeated. */
export interface LeakedToken {
  /**
   * `revoked`: now; `already_dead`: revoked, expired or replaced before; `unknown`: well formed, but not of this gateway, or of a
   * team outside the reach of whoever asks;
   * `malformed`: no token at all.
   */
  readonly result: 'revoked' | 'already_dead' | 'unknown' | 'malformed';
  /** Absent where no token of ours was found. */
  readonly id?: string;
  readonly team?: string;
  readonly app?: string;
}

export interface LeakActs {
  /** `{tokens}`, 1 to 1,000 of them: revokes those that are ours. */
  'token.revoke_leaked': Act<{ data: readonly LeakedToken[] }>;
}

const TOKENS_MAX = 1_000;

export function leakActs(deps: ActDeps): LeakActs {
  const { store, clock } = deps;

  const judge = async (text: string, reach: Reach): Promise<LeakedToken> => {
    if (!isWellFormedToken(text)) return { result: 'malformed' };
    const digest = tokenDigest(text);
    const grant = await store.tokens.findGrant(digest);
    if (grant === undefined || !reach.includes(grant.team.id)) return { result: 'unknown' };
    const { token, app, team } = grant;
    const nowEpochMs = clock.epochMs();
    const replaced = token.digest !== digest && (token.graceUntil ?? 0) <= nowEpochMs;
    const dead = token.revokedAt !== undefined || token.expiresAt <= nowEpochMs || replaced;
    return { result: dead ? 'already_dead' : 'revoked', id: token.id, team: team.slug, app: app.name };
  };

  return {
    'token.revoke_leaked': changing(
      deps,
      {
        name: 'token.revoke_leaked',
        need: 'team',
        input: z.strictObject({
          tokens: z
            .array(z.string({ error: 'a string' }), { error: 'a list of strings' })
            .min(1, { error: 'at least one string' })
            .max(TOKENS_MAX, { error: `at most ${TOKENS_MAX} strings` }),
        }),
      },
      async (input, { reach }) => {
        const data: LeakedToken[] = [];
        for (const text of input.tokens) data.push(await judge(text.trim(), reach));
        const live = [...new Set(data.flatMap((leak) => (leak.result === 'revoked' && leak.id ? [leak.id] : [])))];
        return {
          details: { given: data.length, revoked: live.length, tokenIds: live.join(' ').slice(0, 256) },
          async carryOut() {
            for (const id of live) await store.tokens.revoke(id, clock.epochMs());
            return { data };
          },
        };
      },
    ),
  };
}
