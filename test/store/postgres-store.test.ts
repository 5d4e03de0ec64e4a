import { afterAll, beforeAll } from '@jest/globals';
import { peopleContract } from '../contracts/people-contract.ts';
import { recordKeepingContract } from '../contracts/record-keeping-contract.ts';
import { sessionStoreContract } from '../contracts/session-store-contract.ts';
import { type StorePair, storeContract } from '../contracts/store-contract.ts';
import { usageContract } from '../contracts/usage-contract.ts';
import { type SomePostgres, somePostgres } from '../support/postgres-server.ts';
import { PostgresPairs } from './postgres-pairs.ts';

let postgres: SomePostgres;
let pairs: PostgresPairs;

beforeAll(async () => {
  postgres = await somePostgres();
  pairs = await PostgresPairs.on(await postgres.freshDatabase());
});

afterAll(async () => {
  await pairs[Symbol.asyncDispose]();
  await postgres[Symbol.asyncDispose]();
});

const openPair = (): Promise<StorePair> => pairs.open();

storeContract('PostgreSQL', openPair);
peopleContract('PostgreSQL', openPair);
usageContract('PostgreSQL', openPair);
recordKeepingContract('PostgreSQL', openPair);
sessionStoreContract('PostgreSQL', async () => {
  const { store, other, close } = await openPair();
  return {
    store: store.sessions,
    other: other.sessions,
    async held() {
      const tables = await Promise.all(['sessions', 'tickets'].map((table) => pairs.ask(`select * from ${table}`)));
      return tables.flat().flatMap((row) => Object.values(row));
    },
    cutOff: () => store.close(),
    close,
  };
});
