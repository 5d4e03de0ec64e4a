import { RedisServer } from '../../support/redis-server.ts';
import { spawnSimulator } from '../../support/simulator.ts';
import { MASON_KEY } from '../contestants/contestant.ts';
import { judge, type Part } from './bar.ts';
import { runWorkers, type WorkerCell } from './shared-workers.ts';

const JAIN_MIN = 0.99;
const FOR_MS = 15_000;
const LIMIT = { calls: 100, windowMs: 1_000 };

type Apps = WorkerCell['apps'];

/** Which app calls at which of four gateways, with how many callers. */
const CASES: readonly (readonly [about: string, apps: readonly Apps[]])[] = [
  ['one app on one gateway, one on three', [[['single', 60]], [['spread', 60]], [['spread', 60]], [['spread', 60]]]],
  [
    'two apps, 400 callers to 4 at each gateway',
    Array.from(
      { length: 4 },
      () =>
        [
          ['loud', 400],
          ['quiet', 4],
        ] as const,
    ),
  ],
];

/** What two apps get of one budget, however they are spread over the gateways. */
export const sharedShares: Part = {
  name: 'shared-shares',
  about: 'what two apps get of 100/1s over four gateway processes on one Redis, both always waiting',
  async run() {
    let met = true;
    for (const [about, apps] of CASES) {
      await using redis = await RedisServer.start();
      await using simulator = await spawnSimulator([
        ...[
          '--limit',
          '100/1s',
          '--limit-kind',
          'sliding-log',
          '--latency',
          '20',
          '--key',
          `${MASON_KEY}=account:owner`,
        ],
        ...['--keep-alive-ms', '60000'],
      ]);
      const reports = await runWorkers(
        redis.port,
        FOR_MS,
        apps.map((own) => [{ budgetId: 'shares', limit: LIMIT, url: simulator.url, apps: own }]),
      );
      const sent = new Map<string, number>();
      for (const [report] of reports) {
        for (const [app, calls] of Object.entries(report?.sent ?? {})) sent.set(app, (sent.get(app) ?? 0) + calls);
      }
      const shares = [...sent.values()];
      const index = shares.reduce((a, b) => a + b, 0) ** 2 / (shares.length * shares.reduce((a, b) => a + b * b, 0));
      const told = [...sent].map(([app, calls]) => `${app} ${calls}`).join(', ');
      met =
        judge(index >= JAIN_MIN, `${about}: ${told}: Jain index ${index.toFixed(4)}; the bar is ${JAIN_MIN}`) && met;
    }
    return met;
  },
};
