import { afterAll, beforeAll } from '@jest/globals';
import { runClosingContract } from '../../contracts/run-closing-contract.ts';
import { type SomePostgres, somePostgres } from '../../support/postgres-server.ts';
import { RecordDatabase } from './record-database.ts';

let postgres: SomePostgres;

beforeAll(async () => {
  postgres = await somePostgres();
});

afterAll(async () => {
  await postgres[Symbol.asyncDispose]();
});

runClosingContract('PostgreSQL', async () => {
  const databaseUrl = await postgres.freshDatabase();
  const database = new RecordDatabase(databaseUrl);
  return {
    directory: '/nowhere',
    databaseUrl,
    faults: async () => (await database.chains()).flatMap(({ faults }) => faults),
    remove: () => database.closeAll(),
  };
});
