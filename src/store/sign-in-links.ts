import type { SignInLink, SignInLinks } from '../domain/person.ts';
import { write } from './access.ts';
import { fromGrants, toGrants } from './role-grants.ts';
import type { Database, SignInLinkRow } from './schema.ts';

export function storedSignInLinks(database: Database): SignInLinks {
  return {
    async add(link) {
      const row: SignInLinkRow = {
        id: link.id,
        digest: link.digest,
        name: link.name,
        grants: fromGrants(link.grants),
        created_at: link.createdAt,
        ends_at: link.endsAt,
      };
      await write(
        database,
        async (tx) => {
          // Links that nobody followed go with the next one that is made: there are few.
          await tx.deleteFrom('sign_in_links').where('ends_at', '<=', link.createdAt).execute();
          await tx.insertInto('sign_in_links').values(row).execute();
        },
        { duplicate: `there is a sign-in link ${link.id} already` },
      );
    },

    async take(digest, nowEpochMs) {
      const row = await write(
        database,
        (tx) => tx.deleteFrom('sign_in_links').where('digest', '=', digest).returningAll().executeTakeFirst(),
        { promptly: true },
      );
      return row !== undefined && row.ends_at > nowEpochMs ? toLink(row) : undefined;
    },
  };
}

function toLink(row: SignInLinkRow): SignInLink {
  return {
    id: row.id,
    digest: row.digest,
    name: row.name,
    grants: toGrants(row.grants),
    createdAt: row.created_at,
    endsAt: row.ends_at,
  };
}
