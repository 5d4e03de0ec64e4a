import type { Socket } from 'node:net';
import { expect, test } from '@jest/globals';
import { startGateway } from '../support/gateway.ts';
import { startRawMason } from '../support/raw-mason.ts';

const CALLS = 200;
const AT_ONCE = 10;

/** A Mason that takes each connection away just when it is used a second time: the worst that one can do that closes what idles. */
test.each([
  ['closes', (socket: Socket) => socket.end()],
  ['resets', (socket: Socket) => socket.resetAndDestroy()],
])(
  'A Mason that %s idle connections under the next request: no call fails, and no change is made twice',
  async (_, take) => {
    const done: string[] = [];
    const again: string[] = [];
    const taken = new Set<string>();
    await using mason = await startRawMason((socket, head, number) => {
      const [line = ''] = head.split('\r\n');
      if (number > 1) {
        taken.add(line);
        take(socket);
        return;
      }
      if (taken.has(line)) again.push(/^connection: .*$/m.exec(head)?.[0] ?? '');
      done.push(line);
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}');
    });
    await using gateway = await startGateway({ masonUrl: mason.url });
    const token = await gateway.token();
    const call = async (n: number): Promise<number> => {
      const isChange = n % 4 === 0;
      const path = isChange ? `/v1/default/group/${n}` : `/v1/default/group/${n}?read`;
      const answer = await gateway.call(token, path, isChange ? { method: 'DELETE' } : {});
      await answer.text();
      return answer.status;
    };
    const statuses: number[] = [];
    for (let first = 0; first < CALLS; first += AT_ONCE) {
      statuses.push(...(await Promise.all(Array.from({ length: AT_ONCE }, (_unused, i) => call(first + i)))));
    }
    expect(statuses.filter((status) => status !== 200)).toEqual([]);
    expect(taken.size).toBeGreaterThan(50);
    // On a connection of its own: the next one that is kept alive may be as dead.
    expect(again).toEqual([...taken].map(() => 'connection: close'));
    expect(new Set(done).size).toBe(CALLS);
    expect(done).toHaveLength(CALLS);
  },
);

test('A Mason that dies under the second try as well is not asked for ever', async () => {
  await using mason = await startRawMason((socket, head, number) => {
    if (head.includes('good') && number === 1) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}');
    else socket.end();
  });
  await using gateway = await startGateway({ masonUrl: mason.url });
  const token = await gateway.token();
  await (await gateway.call(token, '/v1/default/group/good')).text();
  const answer = await gateway.call(token, '/v1/default/group/bad', { headers: { prefer: 'wait=1' } });
  expect(answer.status).toBe(502);
  const [event] = await gateway.record({ requestId: answer.headers.get('request-id') });
  const { attempts = [] } = event as { attempts?: unknown[] };
  expect(attempts.length).toBeLessThan(20);
});
