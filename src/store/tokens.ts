import type { Effect } from '../domain/effect.ts';
import type { Token, Tokens } from '../domain/token.ts';
import { change, read, write } from './access.ts';
import type { Database, TokenRow } from './schema.ts';
import { fromList, toList } from './text-list.ts';

export function storedTokens(database: Database): Tokens {
  return {
    async add(token) {
      await change(
        database,
        async (tx) => {
          await tx.insertInto('tokens').values(toRow(token)).execute();
          return true;
        },
        `there is a token ${token.id} already`,
      );
    },

    async findGrant(digest) {
      const row = await read(database, (db) =>
        db
          .selectFrom('tokens')
          .innerJoin('apps', 'apps.id', 'tokens.app_id')
          .innerJoin('teams', 'teams.id', 'tokens.team_id')
          .selectAll('tokens')
          .select(['apps.name as app_name', 'apps.weight as app_weight', 'teams.slug as team_slug'])
          .where(({ or, eb }) => or([eb('tokens.digest', '=', digest), eb('tokens.grace_digest', '=', digest)]))
          .executeTakeFirst(),
      );
      return (
        row && {
          token: toToken(row),
          app: { id: row.app_id, name: row.app_name, weight: row.app_weight },
          team: { id: row.team_id, slug: row.team_slug },
        }
      );
    },

    async findById(id) {
      const row = await read(database, (db) =>
        db.selectFrom('tokens').selectAll().where('id', '=', id).executeTakeFirst(),
      );
      return row && toToken(row);
    },

    async listByTeam(teamId) {
      const rows = await read(database, (db) =>
        db.selectFrom('tokens').selectAll().where('team_id', '=', teamId).orderBy('created_at').orderBy('id').execute(),
      );
      return rows.map(toToken);
    },

    async rotate(id, { digest, graceUntil, expiresAt }) {
      return await change(database, async (tx) => {
        const result = await tx
          .updateTable('tokens')
          .set(({ ref }) => ({
            digest,
            grace_digest: graceUntil === undefined ? null : ref('digest'),
            grace_until: graceUntil ?? null,
            expires_at: expiresAt,
          }))
          .where('id', '=', id)
          // A revocation that came in between wins.
          .where('revoked_at', 'is', null)
          .executeTakeFirst();
        return result.numUpdatedRows > 0n;
      });
    },

    async revoke(id, at) {
      return await change(database, async (tx) => {
        const result = await tx
          .updateTable('tokens')
          .set({ revoked_at: at })
          .where('id', '=', id)
          .where('revoked_at', 'is', null)
          .executeTakeFirst();
        return result.numUpdatedRows > 0n;
      });
    },

    async touch(usedAtById) {
      if (usedAtById.size === 0) return;
      await write(database, async (tx) => {
        for (const [id, usedAt] of usedAtById) {
          await tx
            .updateTable('tokens')
            .set({ last_used_at: usedAt })
            .where('id', '=', id)
            // Gateways report in any order: the newest use stays.
            .where(({ or, eb }) => or([eb('last_used_at', 'is', null), eb('last_used_at', '<', usedAt)]))
            .execute();
        }
      });
    },
  };
}

function toRow(token: Token): TokenRow {
  return {
    id: token.id,
    app_id: token.appId,
    team_id: token.teamId,
    digest: token.digest,
    grace_digest: token.graceDigest ?? null,
    grace_until: token.graceUntil ?? null,
    scopes: fromList(token.scopes),
    effect_ceiling: token.effectCeiling,
    address_ranges: fromList(token.addressRanges),
    urgency_min: token.urgencyMin,
    created_at: token.createdAt,
    expires_at: token.expiresAt,
    revoked_at: token.revokedAt ?? null,
    last_used_at: token.lastUsedAt ?? null,
  };
}

function toToken(row: TokenRow): Token {
  return {
    id: row.id,
    appId: row.app_id,
    teamId: row.team_id,
    digest: row.digest,
    graceDigest: row.grace_digest ?? undefined,
    graceUntil: row.grace_until ?? undefined,
    scopes: toList(row.scopes),
    // Only effects come in here, through the type of Token.
    effectCeiling: row.effect_ceiling as Effect,
    addressRanges: toList(row.address_ranges),
    urgencyMin: row.urgency_min,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at ?? undefined,
    lastUsedAt: row.last_used_at ?? undefined,
  };
}
