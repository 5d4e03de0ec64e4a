import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually, expectRefusal, openBench, type RawBench } from '../support/raw-bench.ts';
import type { RawSocket } from '../support/raw-socket.ts';
import { sideBySide } from '../support/side-by-side.ts';

const HEADERS_MS = 300;
const REQUEST_MS = 600;
const ANSWER_IDLE_MS = 500;

let bench: RawBench;
beforeAll(async () => {
  bench = await openBench({
    listen: { headersMs: HEADERS_MS, requestMs: REQUEST_MS, answerIdleMs: ANSWER_IDLE_MS },
    mason: { firstByteMs: 20_000 },
  });
  await bench.good();
});
afterAll(() => bench.close());

const LINE = 'POST /v1/default/group HTTP/1.1\r\n';
const sockets = (): number => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
const heldBytes = (): number => process.memoryUsage().rss;
/** All of them end before the first failure is told. */
const settledAll = async (all: readonly Promise<void>[]): Promise<void> => {
  await Promise.allSettled(all);
  await Promise.all(all);
};
const callsOver = (): Promise<void> => eventually('no call is open', async () => (await bench.callsOpen()) === 0);

/** Says its bytes, and then nothing or, in pieces, more and more. */
interface Slow {
  readonly danger: string;
  readonly bytes: () => string;
  readonly drip?: string;
  readonly connections: number;
}

const SLOW: readonly Slow[] = [
  { danger: 'says nothing', connections: 20, bytes: () => '' },
  { danger: 'stops in the request line', connections: 20, bytes: () => 'GET /v1/default/dev' },
  { danger: 'stops in its headers', connections: 20, bytes: () => 'GET /v1/default/device HTTP/1.1\r\nHost: m\r\n' },
  {
    danger: 'stops before the empty line',
    connections: 20,
    bytes: () => 'GET /v1/default/device HTTP/1.1\r\nHost: m\r\nX: y\r\n',
  },
  { danger: 'drips headers', connections: 5, bytes: () => 'GET /v1/default/device HTTP/1.1\r\n', drip: 'X: drip\r\n' },
  { danger: 'drips empty lines before a request', connections: 5, bytes: () => '\r\n', drip: '\r\n' },
  { danger: 'stops in a body', connections: 5, bytes: () => `${LINE}${bench.auth}Content-Length: 500\r\n\r\n{` },
  {
    danger: 'drips a body by length',
    connections: 5,
    bytes: () => `${LINE}${bench.auth}Content-Length: 500\r\n\r\n`,
    drip: 'a',
  },
  {
    danger: 'drips a body in chunks',
    connections: 5,
    bytes: () => `${LINE}${bench.auth}Transfer-Encoding: chunked\r\n\r\n`,
    drip: '1\r\na\r\n',
  },
  {
    danger: 'promises a chunk of 2^60 bytes',
    connections: 5,
    bytes: () => `${LINE}${bench.auth}Transfer-Encoding: chunked\r\n\r\n1000000000000000\r\n{`,
  },
  {
    danger: 'drips a chunk extension',
    connections: 5,
    bytes: () => `${LINE}${bench.auth}Transfer-Encoding: chunked\r\n\r\n1;a=`,
    drip: 'b',
  },
];

describe('a client that takes its time (slowloris)', () => {
  let slow: ReturnType<typeof sideBySide<Slow, void>>;
  beforeAll(async () => {
    await bench.forget();
    slow = sideBySide(SLOW, ({ bytes, drip, connections }) =>
      settledAll(Array.from({ length: connections }, () => hear408(bytes(), drip))),
    );
  });

  async function hear408(bytes: string, drip: string | undefined): Promise<void> {
    using socket = await bench.open();
    await socket.write(bytes);
    while (drip !== undefined && socket.rest === '' && !socket.isClosed) {
      await socket.write(drip);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expectRefusal(await socket.answer(), 408);
    await socket.closed();
  }

  test('whatever they do, others are served meanwhile', () =>
    settledAll(Array.from({ length: 5 }, () => bench.good())));

  test.each(SLOW)('$connections connections whose client $danger are told 408 and closed', (row) => slow.of(row));

  test('no request of theirs reached Mason, and no call of theirs is open', async () => {
    await Promise.allSettled(SLOW.map((row) => slow.of(row)));
    expect(await bench.sim.stats()).toMatchObject({ requestsReached: 5, malformed: 0, incomplete: 0 });
    await callsOver();
  });

  const STUBBORN = [
    'CONNECT m:443 HTTP/1.1\r\nHost: m\r\n\r\n',
    '\x16\x03\x01\r\n\r\n',
    'GET /../ HTTP/1.1\r\nHost: m\r\n\r\n',
    `${LINE}Host: m\r\nContent-Length: 9999999\r\n\r\n`,
  ];

  test('who never closes after a refusal holds no socket of the gateway', async () => {
    const before = sockets();
    const stubborn = await Promise.all(
      STUBBORN.flatMap((bytes) =>
        Array.from({ length: 10 }, async () => {
          const socket = await bench.open();
          await socket.write(bytes);
          await socket.closed();
          return socket;
        }),
      ),
    );
    // Their own ends stay half open; the gateway's are gone.
    await eventually('the sockets of the gateway are gone', () => sockets() <= before + stubborn.length);
    for (const socket of stubborn) socket[Symbol.dispose]();
  });

  test('who sends 2,000 requests at once and awaits no answer is cut off before they are worked on', async () => {
    await bench.forget();
    await bench.sim.faults({ times: 'always', fault: { kind: 'hang' } });
    using socket = await bench.open();
    await socket.write(`GET /v1/default/group HTTP/1.1\r\n${bench.auth}\r\n`.repeat(2_000));
    await socket.closed();
    await callsOver();
    expect((await bench.sim.stats()).mostInFlight).toBeLessThanOrEqual(1);
    await bench.sim.clearFaults();
    await bench.good();
  });

  test('who never reads an answer is cut off, and Mason is not read for it', async () => {
    await bench.forget();
    const { open } = (await bench.sim.stats()).connections;
    await bench.sim.faults({ kind: 'large', bytes: 500_000_000 });
    using socket = await bench.open();
    socket.pause();
    const before = heldBytes();
    await socket.write(`GET /v1/default/group HTTP/1.1\r\n${bench.auth}\r\n`);
    await eventually('Mason is asked', async () => (await bench.sim.stats()).faultsPlayed === 1);
    await callsOver();
    // Bounded by the buffers of the sockets, far from what Mason has to say.
    expect(heldBytes() - before).toBeLessThan(50_000_000);
    const [event] = await bench.gateway.record({ operation: 'group.list' });
    expect(event).toMatchObject({ status: 499, result: 'aborted' });
    await eventually('the connection to Mason is given up', async () => {
      return (await bench.sim.stats()).connections.open <= open;
    });
    await bench.good();
  });

  test('small answers that stay unread hold no connection for ever either', async () => {
    await bench.forget();
    await bench.sim.faults({ times: 'always', fault: { kind: 'large', bytes: 64_000 } });
    using socket = await bench.open();
    socket.pause();
    const before = sockets();
    // More than the system's buffers between the two take; each of them fits into the gateway's own.
    await socket.write(`GET /v1/default/group HTTP/1.1\r\n${bench.auth}\r\n`.repeat(99));
    await eventually('Mason was asked', async () => (await bench.sim.stats()).faultsPlayed > 0);
    // The gateway's end of it; the client's own does not notice until it reads.
    await eventually('the connection was cut', () => sockets() < before);
    await bench.sim.clearFaults();
    await callsOver();
    await bench.good();
  });
});

describe('a client that goes away', () => {
  test('200 resets in the middle of uploads leave no socket and no call behind', async () => {
    await bench.good();
    await bench.forget();
    const before = sockets();
    for (let round = 0; round < 10; round += 1) {
      const uploads = await Promise.all(Array.from({ length: 20 }, () => bench.open()));
      await Promise.all(
        uploads.map((socket) =>
          socket.write(`${LINE}${bench.auth}Content-Length: 500000\r\n\r\n`, Buffer.alloc(50_000)),
        ),
      );
      for (const socket of uploads) socket.reset();
    }
    await callsOver();
    await eventually('their sockets are gone', () => sockets() <= before);
    await bench.untouched();
    await bench.good();
  });

  test.each([
    ['a RST', (socket: RawSocket) => socket.reset()],
    ['a FIN', (socket: RawSocket) => socket[Symbol.dispose]()],
  ])('leaving by %s while Mason works ends the call at Mason too', async (_, leave) => {
    await bench.forget();
    await bench.sim.faults({ kind: 'hang' });
    const { open } = (await bench.sim.stats()).connections;
    using socket = await bench.open();
    const body = '{"name":"leaver"}';
    await socket.write(`${LINE}${bench.auth}Content-Length: ${body.length}\r\n\r\n${body}`);
    await eventually('Mason has it', async () => (await bench.sim.stats()).faultsPlayed === 1);
    expect((await bench.sim.stats()).connections.open).toBe(open + 1);
    leave(socket);
    await eventually('the connection to Mason is given up', async () => {
      return (await bench.sim.stats()).connections.open === open;
    });
    await callsOver();
    const [event] = await bench.gateway.record({ operation: 'group.create', kind: 'outcome' });
    expect(event).toMatchObject({ status: 499, result: 'unknown', errorCode: 'caller_gone' });
    expect((await bench.sim.stats()).requestsReached).toBe(1);
    await bench.good();
  });
});

describe('an upload that is refused', () => {
  const MORE = Buffer.alloc(2_000_000, 0x20);
  test.each([
    ['by its length', 413, (auth: string) => [`${LINE}${auth}Content-Length: ${MORE.length}\r\n\r\n`, MORE]],
    [
      'by its chunks',
      413,
      (auth: string) => [
        `${LINE}${auth}Transfer-Encoding: chunked\r\n\r\n`,
        ...Array.from({ length: 40 }, () =>
          Buffer.concat([Buffer.from('c350\r\n'), MORE.subarray(0, 50_000), Buffer.from('\r\n')]),
        ),
        '0\r\n\r\n',
      ],
    ],
    ['for want of a token', 401, () => [`${LINE}Host: m\r\nContent-Length: ${MORE.length}\r\n\r\n`, MORE]],
  ])(
    '%s is told so although it goes on sending: no RST overtakes the answer (RFC 9112 9.6)',
    async (_, status, pieces) => {
      await bench.forget();
      using socket = await bench.open();
      const sent = socket.write(...pieces(bench.auth));
      const answer = await socket.answer();
      expectRefusal(answer, status);
      expect(answer.headers['connection']).toBe('close');
      await sent;
      expect(await socket.closed()).toBe('end');
      await bench.untouched();
    },
  );
});

test('what only Mason judges goes there byte for byte, and touches nothing here', async () => {
  await bench.forget();
  using socket = await bench.open();
  const body = '{"__proto__":{"polluted":1},"name":"a","name":"b","x":"\xff"}';
  const head = `POST /v1/default/device/none HTTP/1.1\r\n${bench.auth}Content-Type: text/odd\r\n`;
  await socket.write(`${head}Content-Length: ${body.length}\r\n\r\n${body}`);
  expect(await socket.answer()).toMatchObject({ status: 404 });
  const [seen] = await bench.sim.requests();
  const digest = await crypto.subtle.digest('SHA-256', Buffer.from(body, 'latin1'));
  expect(seen?.body).toMatchObject({ bytes: body.length, sha256: Buffer.from(digest).toString('hex') });
  expect({}).not.toHaveProperty('polluted');
});

describe('more connections than there may be', () => {
  test('new ones are turned away, old ones are served, and a place that is free again is taken', async () => {
    await using small = await openBench({ listen: { connectionsMax: 10 } });
    const inside = await Promise.all(Array.from({ length: 10 }, () => small.open()));
    for (const socket of inside) await small.good(socket);
    await small.forget();
    const outside = await Promise.all(Array.from({ length: 30 }, () => small.open()));
    for (const socket of outside) {
      await socket.write(`GET /v1/default/group HTTP/1.1\r\n${small.auth}\r\n`);
      await socket.closed();
      expect(socket.rest).toBe('');
      socket[Symbol.dispose]();
    }
    await small.untouched();
    for (const socket of inside) await small.good(socket);
    for (const socket of inside) socket[Symbol.dispose]();
    await eventually('there is room again', () =>
      small.good().then(
        () => true,
        () => false,
      ),
    );
  });
});
