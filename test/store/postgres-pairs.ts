import { Client } from 'pg';
import { Secret } from '../../src/domain/secret.ts';
import { openStore, type Store } from '../../src/store/open-store.ts';
import type { PostgresSettings } from '../../src/store/postgres/postgres-settings.ts';
import type { StorePair } from '../contracts/store-contract.ts';

/** How the store reaches what a URL names. */
export function settingsOf(url: string, change: Partial<PostgresSettings> = {}): PostgresSettings {
  const { hostname, port, pathname, username, password } = new URL(url);
  return {
    host: hostname,
    port: Number(port || 5_432),
    database: pathname.slice(1),
    user: decodeURIComponent(username),
    password: password === '' ? undefined : new Secret(decodeURIComponent(password)),
    tls: undefined,
    connectionsMax: 6,
    connectMs: 2_000,
    ...change,
  };
}

/**
 * Two gateways' stores on one database, emptied for each test that opens them. What no test closed stays open for the next:
 * a database takes a hundred times as long to make as to empty, a connection ten times as long as a question.
 */
export class PostgresPairs implements AsyncDisposable {
  readonly #url: string;
  readonly #operator: Client;
  #stores: readonly [Store, Store] | undefined;

  private constructor(url: string) {
    this.#url = url;
    this.#operator = new Client({ connectionString: url });
  }

  static async on(url: string): Promise<PostgresPairs> {
    const pairs = new PostgresPairs(url);
    await pairs.#operator.connect();
    return pairs;
  }

  async open(): Promise<StorePair> {
    const options = { kind: 'postgres', server: settingsOf(this.#url) } as const;
    const stores = this.#stores ?? ([await openStore(options), await openStore(options)] as const);
    this.#stores = stores;
    await this.ask(EMPTY);
    const [store, other] = stores;
    return {
      store,
      other,
      close: async () => {
        const open = await Promise.all(stores.map((each) => each.revision().then(isTrue, isFalse)));
        if (!open.every(Boolean)) await this.#close();
      },
    };
  }

  /** As a thief or an operator would. */
  async ask(text: string): Promise<readonly Record<string, unknown>[]> {
    return (await this.#operator.query<Record<string, unknown>>(text)).rows;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
    await this.#operator.end();
  }

  async #close(): Promise<void> {
    const stores = this.#stores ?? [];
    this.#stores = undefined;
    for (const store of stores) await store.close();
  }
}

const isTrue = (): boolean => true;
const isFalse = (): boolean => false;

/** Teams take what is theirs with them; all others have nobody who points at them then. */
const EMPTY = `do $$ declare each text; begin
  delete from teams;
  for each in select tablename from pg_tables
    where schemaname = current_schema() and tablename not in ('schema_version', 'revision')
  loop execute format('delete from %I', each); end loop;
  update revision set value = 0;
end $$`;
