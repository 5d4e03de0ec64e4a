import type { Apps } from '../domain/app.ts';
import type { Budgets } from '../domain/budget.ts';
import type { SigningKeys } from '../domain/checkpoint.ts';
import type { LearnedLimits } from '../domain/learning.ts';
import type { MasonKeys } from '../domain/mason-key.ts';
import type { Names } from '../domain/names.ts';
import type { People, SignInLinks } from '../domain/person.ts';
import type { Positions } from '../domain/positions.ts';
import type { GatewayRuns } from '../domain/run.ts';
import type { SessionStore } from '../domain/session.ts';
import type { Teams } from '../domain/team.ts';
import type { Tokens } from '../domain/token.ts';
import type { UsageStore } from '../domain/usage.ts';
import { read } from './access.ts';
import { storedApps } from './apps.ts';
import { storedBudgets } from './budgets.ts';
import { storedLearnedLimits } from './learned-limits.ts';
import { storedMasonKeys } from './mason-keys.ts';
import { MIGRATIONS, type Migration } from './migrations.ts';
import { storedNames } from './names.ts';
import { openSqlite } from './open-sqlite.ts';
import { storedPeople } from './people.ts';
import { storedPositions } from './positions.ts';
import { openPostgres } from './postgres/open-postgres.ts';
import type { PostgresSettings } from './postgres/postgres-settings.ts';
import { storedRuns } from './runs.ts';
import { storedSessions } from './sessions.ts';
import { type Settings, storedSettings } from './settings.ts';
import { storedSignInLinks } from './sign-in-links.ts';
import { storedSigningKeys } from './signing-keys.ts';
import { storedTeams } from './teams.ts';
import { storedTokens } from './tokens.ts';
import { storedUsage } from './usage.ts';

/** What outlives the process. Every method may throw GatewayError `store_unavailable`. */
export interface Store extends AsyncDisposable {
  /** What it is called where operators look. */
  readonly name: string;
  readonly teams: Teams;
  readonly apps: Apps;
  readonly budgets: Budgets;
  readonly learnedLimits: LearnedLimits;
  readonly keys: MasonKeys;
  readonly tokens: Tokens;
  readonly people: People;
  readonly links: SignInLinks;
  readonly sessions: SessionStore;
  readonly settings: Settings;
  readonly runs: GatewayRuns;
  readonly usage: UsageStore;
  readonly signingKeys: SigningKeys;
  readonly positions: Positions;
  readonly names: Names;
  /**
   * Grows with each change to teams, apps, budgets, keys, tokens and people (uses and sign-ins are none), by whichever
   * process. Sessions do not move it: there are many, and who holds them looks at each one anyway.
   */
  revision(): Promise<number>;
  /** Idempotent. What is asked afterwards fails with `store_unavailable`. */
  close(): Promise<void>;
}

interface AnyStoreOptions {
  /** Milliseconds that a change waits for another process' change, default 5,000; what a browser waits for gives up sooner. */
  readonly busyMsMax?: number;
  /** Replaced in tests of upgrades. */
  readonly migrations?: readonly Migration[];
}

/** Where the store is: in a file that the processes of one machine share, or in a database that all gateways share. */
export type StoreOptions = AnyStoreOptions &
  (
    | { readonly kind?: 'sqlite'; readonly file: string }
    | { readonly kind: 'postgres'; readonly server: PostgresSettings }
  );

/**
 * Opens the store and brings its schema up to date.
 *
 * @throws GatewayError `store_unavailable` with a message for the operator: it names the file, or the server.
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { busyMsMax = 5_000, migrations = MIGRATIONS } = options;
  const database =
    options.kind === 'postgres'
      ? await openPostgres(options.server, busyMsMax, migrations)
      : await openSqlite(options.file, busyMsMax, migrations);
  return {
    name: database.name,
    teams: storedTeams(database),
    apps: storedApps(database),
    budgets: storedBudgets(database),
    learnedLimits: storedLearnedLimits(database),
    keys: storedMasonKeys(database),
    tokens: storedTokens(database),
    people: storedPeople(database),
    links: storedSignInLinks(database),
    sessions: storedSessions(database),
    settings: storedSettings(database),
    runs: storedRuns(database),
    usage: storedUsage(database),
    signingKeys: storedSigningKeys(database),
    positions: storedPositions(database),
    names: storedNames(database),
    revision: () =>
      read(database, async (db) => (await db.selectFrom('revision').select('value').executeTakeFirstOrThrow()).value),
    close: database.close,
    [Symbol.asyncDispose]: database.close,
  };
}
