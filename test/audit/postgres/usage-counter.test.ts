import { openPostgresArchive } from '../../../src/audit/postgres/postgres-archive.ts';
import { type PostgresRunState, PostgresRunWriter } from '../../../src/audit/postgres/postgres-run-writer.ts';
import { forThread } from '../../../src/audit/postgres/thread-settings.ts';
import { openStore } from '../../../src/store/open-store.ts';
import { usageCountingContract } from '../../contracts/usage-counting-contract.ts';
import { settingsOf } from '../../store/postgres-pairs.ts';
import { somePostgres } from '../../support/postgres-server.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';

const open: Parameters<typeof usageCountingContract>[1] = async () => {
  const postgres = await somePostgres();
  const url = await postgres.freshDatabase();
  const server = settingsOf(url);
  const writersWay = await TcpProxy.before(server.port);
  const store = await openStore({ kind: 'postgres', server });
  const archive = await openPostgresArchive(server);
  return {
    store,
    archive,
    openWriter: (gatewayId, resume) =>
      new PostgresRunWriter({
        settings: forThread(settingsOf(url, { port: writersWay.port })),
        gatewayId,
        askMsMax: 10_000,
        // What one of these said.
        resume: resume as PostgresRunState | undefined,
      }),
    kill() {
      writersWay.cut();
      writersWay.mend();
    },
    async remove() {
      await writersWay[Symbol.asyncDispose]();
      await archive.close();
      await store.close();
      await postgres[Symbol.asyncDispose]();
    },
  };
};

usageCountingContract('PostgreSQL', open, 15);
