import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { spawnSimulator } from '../../support/simulator.ts';
import { MASON_KEY } from '../contestants/contestant.ts';
import { startGatewayProcess } from '../contestants/gateway.ts';
import { judge, type Part, tell } from '../lane-bars/bar.ts';

const KEEP_ALIVE_MS = 1_000;
const SPREAD_MS = 5;
const CONNECTIONS = 100;
const CALLS = 10_000;
/** Of calls: one in so many is a change. */
const CHANGE_EACH = 5;
/** One way between gateway and Mason: on one machine the end of a connection would nearly never cross with a call. */
const WAY_MS = 5;
const APP = 'stale';

/** Calls that come just when Mason closes the connection that they would go on. */
export const staleSockets: Part = {
  name: 'stale-sockets',
  about: 'Mason closes idle connections after 1 s, calls come after 1.0 s ± 5 ms: none fails, none is doubled',
  async run() {
    await using stack = new AsyncDisposableStack();
    const words = ['--keep-alive-ms', String(KEEP_ALIVE_MS), '--key', `${MASON_KEY}=account:owner`];
    const simulator = stack.use(await spawnSimulator(words));
    const way = stack.use(await startWay(simulator.port));
    const gateway = stack.use(
      await startGatewayProcess({
        masonUrl: `http://127.0.0.1:${way.port}`,
        key: MASON_KEY,
        limit: '100000/1s',
        apps: [APP],
        scopes: ['account:owner'],
      }),
    );
    const groupsBefore = (await simulator.state()).groups;
    const token = gateway.tokens.get(APP) as string;
    const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
    const statuses = new Map<number, number>();
    let changes = 0;
    const caller = async (own: number): Promise<void> => {
      for (let call = 0; call < CALLS / CONNECTIONS; call++) {
        const isChange = (call + own) % CHANGE_EACH === 0;
        if (isChange) changes++;
        const status = await ask(gateway.url, agent, token, isChange ? `stale-${own}-${call}` : undefined, own);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        await sleep(KEEP_ALIVE_MS - SPREAD_MS + Math.random() * 2 * SPREAD_MS);
      }
    };
    await Promise.all(Array.from({ length: CONNECTIONS }, (_, own) => caller(own)));
    agent.destroy();

    const made = (await simulator.state()).groups - groupsBefore;
    const metrics = await gateway.metrics();
    const broken = /^mason_gateway_attempts_total\{result="unreachable"\} (\d+)$/m.exec(metrics)?.[1] ?? '0';
    const good = statuses.get(200) ?? 0;
    tell(`${broken} reads were under way when their connection ended, and went again on another`);
    const failed = judge(good === CALLS, `${CALLS} calls: ${CALLS - good} failed (bar: 0)`);
    return judge(made === changes, `${changes} changes: ${made} made (bar: each once)`) && failed;
  },
};

/** @param group to make; without, a read of its own that no other caller makes. */
async function ask(url: string, agent: Agent, token: string, group: string | undefined, own: number): Promise<number> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const path = group === undefined ? `/v1/default/device?limit=1&caller=${own}` : '/v1/default/group';
  const outgoing = request(url + path, { agent, method: group === undefined ? 'GET' : 'POST', headers });
  outgoing.end(group === undefined ? undefined : JSON.stringify({ name: group, description: 'bench' }));
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
  answer.resume();
  await once(answer, 'end');
  return answer.statusCode ?? 0;
}

/** A network with a length: bytes and ends come so much later. */
async function startWay(port: number): Promise<AsyncDisposable & { readonly port: number }> {
  const sockets = new Set<Socket>();
  const pass = (from: Socket, to: Socket): void => {
    sockets.add(from);
    from.on('data', (bytes) => setTimeout(() => to.writable && to.write(bytes), WAY_MS));
    from.on('end', () => setTimeout(() => to.end(), WAY_MS));
    from.on('error', () => setTimeout(() => to.resetAndDestroy(), WAY_MS));
    from.on('close', () => sockets.delete(from));
  };
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    const far = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    pass(near, far);
    pass(far, near);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
