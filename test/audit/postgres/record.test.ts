import { afterAll, beforeAll } from '@jest/globals';
import { recordContract } from '../../contracts/record-contract.ts';
import { type SomePostgres, somePostgres } from '../../support/postgres-server.ts';
import { RecordDatabase } from './record-database.ts';

let postgres: SomePostgres;
let database: RecordDatabase;

beforeAll(async () => {
  postgres = await somePostgres();
  database = new RecordDatabase(await postgres.freshDatabase());
});

afterAll(async () => {
  await database[Symbol.asyncDispose]();
  await postgres[Symbol.asyncDispose]();
});

recordContract('the record in PostgreSQL', () => ({ open: () => database.open(), remove: () => database.empty() }));
