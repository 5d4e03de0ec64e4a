import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { openRecord } from '../../src/audit/open-record.ts';
import { OPERATES } from '../../src/domain/authority.ts';
import { systemClock } from '../../src/domain/clock.ts';
import { teamActs } from '../../src/manage/team-acts.ts';
import { openStore } from '../../src/store/open-store.ts';
import { masterKeyFrom } from '../../src/vault/master-key.ts';
import { openVault } from '../../src/vault/open-vault.ts';

/**
 * A gateway that is killed while it carries out an act: `node dying-child.ts <directory> <before|after>` adds the team `acme`,
 * and dies before or after the store has it.
 */
const [, , directory = '', moment] = process.argv;
const store = await openStore({ file: join(directory, 'gateway.db') });
const record = await openRecord({
  directory: join(directory, 'audit'),
  gatewayId: 'gw-child',
  clock: systemClock,
  intentMsMax: 15_000,
  lagEventsMax: 40,
  lagBytesMax: 1_000_000,
});
const dying: typeof store.teams = {
  ...store.teams,
  async add(team) {
    if (moment === 'after') await store.teams.add(team);
    process.kill(process.pid, 'SIGKILL');
    await new Promise(() => {});
  },
};
const acts = teamActs({
  store: { ...store, teams: dying },
  vault: openVault({ masterKey: masterKeyFrom(randomBytes(32), 'of the test') }),
  record,
  clock: systemClock,
});
await acts['team.add'](
  { actor: { kind: 'operator', account: 'ada' }, authority: OPERATES },
  { slug: 'acme' },
  'request-1',
);
