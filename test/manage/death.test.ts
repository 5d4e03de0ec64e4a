import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { QueryClient } from '../../src/audit/segments/query-client.ts';
import { openStore } from '../../src/store/open-store.ts';

const CHILD = join(import.meta.dirname, 'dying-child.ts');
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'death-'));
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

/** What stands on record of the act, and the teams there are, after a gateway was killed while it carried it out. */
async function afterDeath(moment: 'before' | 'after'): Promise<{ results: unknown[]; teams: string[] }> {
  const dataDir = join(directory, moment);
  await mkdir(dataDir);
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', CHILD, dataDir, moment], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { PATH: process.env['PATH'] },
  });
  const [code, signal] = await once(child, 'exit');
  expect([code, signal]).toEqual([null, 'SIGKILL']);
  const reader = new QueryClient(join(dataDir, 'audit'));
  const { events } = await reader.query({ requestId: 'request-1' }, { limit: 10 });
  await reader.close();
  await using store = await openStore({ file: join(dataDir, 'gateway.db') });
  return {
    results: events.map(({ event }) => [event['act'], event['result']]),
    teams: (await store.teams.list()).map(({ slug }) => slug),
  };
}

test('of an act in the middle of which the gateway dies, the intention is on record, and no end', async () => {
  const results = [['team.add', 'intended']];
  expect(await Promise.all([afterDeath('before'), afterDeath('after')])).toEqual([
    { results, teams: [] },
    { results, teams: ['acme'] },
  ]);
});
