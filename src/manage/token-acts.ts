import { z } from 'zod';
import { EFFECTS } from '../domain/effect.ts';
import { GatewayError } from '../domain/errors.ts';
import type { Scope } from '../domain/scope.ts';
import type { Team } from '../domain/team.ts';
import type { Token } from '../domain/token.ts';
import type { Store } from '../store/open-store.ts';
import { newToken, tokenDigest } from '../vault/tokens.ts';
import { type Act, type ActDeps, changing, looking } from './act.ts';
import { addressRanges, duration, scopeList, slug, tokenId, wholeNumber } from './fields.ts';
import { appNamed, ensureStillThere, noToken, teamNamed, teamsNamed, tokenWithId } from './look-up.ts';
import { newId } from './new-id.ts';
import { type TokenView, tokenView } from './token-view.ts';
import { ensureWithinRights } from './within-rights.ts';

/** A token at the only moment when it is shown. */
export type ShownToken = TokenView & { readonly token: string; readonly notes: readonly string[] };

export interface TokenActs {
  /** `{team, app, scopes, expires?, effects?, from?, urgency?}` */
  'token.create': Act<ShownToken>;
  /** `{team?, app?}` */
  'token.list': Act<{ data: readonly TokenView[] }>;
  /** `{id, grace?, expires?}`: a new secret under the same id; the old one works on for the grace, never beyond its expiry. */
  'token.rotate': Act<ShownToken>;
  /** `{id}`. Revoking twice is no error. */
  'token.revoke': Act<TokenView>;
}

export interface TokenActDeps extends ActDeps {
  readonly scopes: { covers(held: readonly Scope[], needed: Scope): boolean; known(scope: Scope): boolean };
}

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const LIFETIME_DEFAULT_MS = 90 * DAY_MS;
const GRACE_DEFAULT_MS = DAY_MS;

const lifetime = duration(MINUTE_MS, 366 * DAY_MS).default(LIFETIME_DEFAULT_MS);
const grace = duration(0, 366 * DAY_MS).default(GRACE_DEFAULT_MS);

export function tokenActs(deps: TokenActDeps): TokenActs {
  const { store, clock } = deps;

  const viewOf = async (token: Token): Promise<TokenView> => {
    const [team, app] = await Promise.all([store.teams.findById(token.teamId), store.apps.findById(token.appId)]);
    return tokenView(token, team?.slug ?? '?', app?.name ?? '?', clock.epochMs());
  };

  return {
    'token.create': changing(
      deps,
      {
        name: 'token.create',
        need: 'team',
        input: z.strictObject({
          team: slug,
          app: slug,
          scopes: scopeList(deps.scopes.known, true),
          expires: lifetime,
          effects: z.enum(EFFECTS, { error: `one of ${EFFECTS.join(', ')}` }).default('change'),
          from: addressRanges.default([]),
          urgency: wholeNumber(0, 7).default(0),
        }),
      },
      async (input, { by, reach }) => {
        const team = await teamNamed(reach, input.team);
        const app = await appNamed(reach, team, input.app);
        const powers = {
          scopes: input.scopes,
          effectCeiling: input.effects,
          addressRanges: input.from,
          urgencyMin: input.urgency,
        };
        await ensureWithinRights(reach, by, team, powers, deps.scopes.covers);
        const createdAt = clock.epochMs();
        const secret = newToken();
        const token: Token = {
          id: newId('tok'),
          appId: app.id,
          teamId: team.id,
          digest: tokenDigest(secret),
          graceDigest: undefined,
          graceUntil: undefined,
          ...powers,
          createdAt,
          expiresAt: createdAt + input.expires,
          revokedAt: undefined,
          lastUsedAt: undefined,
        };
        return {
          team,
          details: { tokenId: token.id, expiresAt: token.expiresAt },
          async carryOut() {
            await store.tokens.add(token);
            const notes = await uncovered(deps, team, token.scopes);
            return { ...tokenView(token, team.slug, app.name, createdAt), token: secret, notes };
          },
        };
      },
    ),

    'token.list': looking(
      deps,
      {
        name: 'token.list',
        need: 'team',
        input: z.strictObject({ team: slug.optional(), app: slug.optional() }),
      },
      async (input, { reach }) => {
        const data: TokenView[] = [];
        for (const team of await teamsNamed(reach, input.team)) {
          const apps = new Map((await store.apps.listByTeam(team.id)).map((app) => [app.id, app.name]));
          for (const token of await store.tokens.listByTeam(team.id)) {
            const app = apps.get(token.appId) ?? '?';
            if (input.app === undefined || input.app === app) {
              data.push(tokenView(token, team.slug, app, clock.epochMs()));
            }
          }
        }
        return { answer: { data } };
      },
    ),

    'token.rotate': changing(
      deps,
      { name: 'token.rotate', need: 'team', input: z.strictObject({ id: tokenId, grace, expires: lifetime }) },
      async (input, { by, reach }) => {
        const token = await tokenWithId(reach, input.id);
        const team = await teamOf(store, token);
        await ensureWithinRights(reach, by, team, token, deps.scopes.covers);
        if (token.revokedAt !== undefined) {
          throw new GatewayError('conflict', `the token ${token.id} was revoked: create a new one instead`);
        }
        const nowEpochMs = clock.epochMs();
        const graceUntil = Math.min(nowEpochMs + input.grace, token.expiresAt);
        const secret = newToken();
        const change = {
          digest: tokenDigest(secret),
          graceUntil: graceUntil > nowEpochMs ? graceUntil : undefined,
          expiresAt: nowEpochMs + input.expires,
        };
        return {
          team,
          details: {
            tokenId: token.id,
            expiresAt: change.expiresAt,
            ...(change.graceUntil === undefined ? {} : { graceUntil: change.graceUntil }),
          },
          async carryOut() {
            ensureStillThere(await store.tokens.rotate(token.id, change), `the token ${token.id}`);
            return { ...(await viewOf(await tokenWithId(reach, token.id))), token: secret, notes: [] };
          },
        };
      },
    ),

    'token.revoke': changing(
      deps,
      { name: 'token.revoke', need: 'team', input: z.strictObject({ id: tokenId }) },
      async (input, { reach }) => {
        const token = await tokenWithId(reach, input.id);
        return {
          team: await teamOf(store, token),
          details: { tokenId: token.id },
          async carryOut() {
            await store.tokens.revoke(token.id, clock.epochMs());
            return await viewOf(await tokenWithId(reach, token.id));
          },
        };
      },
    ),
  };
}

/** Scopes that no key of the team's covers: the token is made all the same, since keys come and go. */
async function uncovered(deps: TokenActDeps, team: Team, scopes: readonly Scope[]): Promise<readonly string[]> {
  const held = [...new Set((await deps.store.keys.listByTeam(team.id)).flatMap((key) => key.scopes))];
  const missing = scopes.filter((scope) => !scope.startsWith('gateway:') && !deps.scopes.covers(held, scope));
  if (missing.length === 0) return [];
  const keys = held.length === 0 ? 'it has no keys' : `its keys hold ${held.join(', ')}`;
  return [
    `no key of the team ${team.slug} covers ${missing.join(', ')} (${keys}): calls that need it are refused until one does`,
  ];
}

/** @throws GatewayError `not_found`: the team went meanwhile, and the token with it */
async function teamOf(store: Store, token: Token): Promise<Team> {
  const team = await store.teams.findById(token.teamId);
  if (team !== undefined) return team;
  throw noToken(token.id);
}
