import { createLog } from '../../../src/call/call-log.ts';
import type { Config } from '../../../src/config/config.ts';
import { databaseSettings } from '../../../src/config/database-settings.ts';
import { OPERATES } from '../../../src/domain/authority.ts';
import type { UsageDelta } from '../../../src/domain/usage.ts';
import { openManagement } from '../../../src/gateway.ts';
import { openStore } from '../../../src/store/open-store.ts';
import { type Timed, timed } from './timed.ts';

const DAYS = 30;
const DAY_MS = 86_400_000;
const CALLERS = 50;
const OPERATIONS = 12;
const OPERATOR = { actor: { kind: 'operator', account: 'bench' }, authority: OPERATES } as const;

/** Counts a month of fifty apps, and asks for it, as the command line does. */
export async function askUsage(config: Config, now: number): Promise<Timed> {
  await count(config, now);
  const log = createLog('silent', { write: () => undefined });
  const masonUrl = config.mason.origin ?? '';
  const { acts, close } = await openManagement(config, { masonUrl, log });
  try {
    const since = new Date(now - DAYS * DAY_MS).toISOString();
    return await timed(() => acts['usage.query'](OPERATOR, { since }));
  } finally {
    await close();
  }
}

async function count(config: Config, now: number): Promise<void> {
  const server = databaseSettings(config.database);
  await using store = await openStore(
    server === undefined ? { file: `${config.gateway.dataDir}/gateway.db` } : { kind: 'postgres', server },
  );
  for (let day = 0; day < DAYS; day += 1) {
    const minute = Math.floor((now - day * DAY_MS) / 60_000) * 60_000;
    await store.usage.add(deltasOf(minute), { chain: 'bench/month', batch: day });
  }
}

function deltasOf(minute: number): UsageDelta[] {
  return Array.from({ length: CALLERS * OPERATIONS }, (_, n) => ({
    minute,
    teamId: `team_${n % 7}`,
    callerId: `app_${n % CALLERS}`,
    operation: `device.list${Math.floor(n / CALLERS)}`,
    outcome: 'ok',
    calls: 100,
    attempts: 100,
    bytesIn: 0,
    bytesOut: 512_000,
    queueMs: [
      [20, 60],
      [24, 40],
    ],
    masonMs: [
      [60, 30],
      [64, 50],
      [70, 20],
    ],
    gatewayMs: [
      [12, 80],
      [20, 20],
    ],
  }));
}
