import { spawnSimulator } from '../../support/simulator.ts';
import { MASON_KEY, PROXY_CORE } from '../contestants/contestant.ts';
import { startGatewayProcess } from '../contestants/gateway.ts';
import { judge, type Part, tell } from '../lane-bars/bar.ts';
import { residentBytes } from '../machine/processor.ts';
import { Others, startAttack } from './attack.ts';

const IDLE = 10_000;
/** For the others' calls, beside the idle ones. */
const PLACES = 50;
const BEYOND = 500;
const SECONDS = 5;
const P99_FACTOR_MAX = 2;
const KILOBYTES_MAX = 25;

/** Ten thousand callers that said something once and keep their connection; and some more than there may be. */
export const idleConnections: Part = {
  name: 'idle-connections',
  about: `${IDLE} idle connections: p99 of others, memory of each, and what those beyond the bound meet`,
  async run() {
    await using simulator = await spawnSimulator(['--key', `${MASON_KEY}=account:owner`]);
    await using gateway = await startGatewayProcess({
      masonUrl: simulator.url,
      key: MASON_KEY,
      limit: '100000/1s',
      apps: ['others'],
      core: PROXY_CORE,
      settings: { listen: { connectionsMax: IDLE + PLACES, keepAliveMs: 300_000 } },
    });
    const token = gateway.tokens.get('others') as string;
    const port = Number(new URL(gateway.url).port);
    using others = new Others(gateway.url, token);
    await others.connect();
    await others.p99(SECONDS);
    const quiet = await others.p99(SECONDS);
    const before = residentBytes(gateway.pid);
    await using idle = await startAttack({ mode: 'idle', port, token, connections: IDLE, pieceMs: 60_000 });
    const kilobytes = (residentBytes(gateway.pid) - before) / IDLE / 1_024;
    const p99 = await others.p99(SECONDS);
    await using beyond = await startAttack({ mode: 'idle', port, token, connections: BEYOND, pieceMs: 60_000 });
    const meanwhile = await others.p99(SECONDS);
    const turned = (await beyond.end()).turnedAway;
    const kept = await idle.end();
    tell(`p99 of others while more come than may: ${meanwhile.toFixed(1)} ms`);
    return [
      judge(kept.open === IDLE, `${kept.open} of ${IDLE} were kept (bar: all)`),
      judge(kilobytes < KILOBYTES_MAX, `${kilobytes.toFixed(1)} kB of memory each (bar: ${KILOBYTES_MAX})`),
      judge(
        p99 < P99_FACTOR_MAX * quiet,
        `p99 of others ${p99.toFixed(1)} ms, without them ${quiet.toFixed(1)} ms (bar: ×${P99_FACTOR_MAX})`,
      ),
      judge(
        turned >= BEYOND - PLACES,
        `${turned} of ${BEYOND} beyond the bound were closed at once (bar: ${BEYOND - PLACES})`,
      ),
    ].every(Boolean);
  },
};
