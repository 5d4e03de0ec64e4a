import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Fault } from '../../src/simulator/faults/fault.ts';
import type { ShownRequest } from '../../src/simulator/record/request-log.ts';
import { OWNER_KEY } from '../support/gateway.ts';
import type { RawAnswer } from '../support/raw-answer.ts';
import { eventually, expectRefusal, openBench, type RawBench } from '../support/raw-bench.ts';
import { sideBySide } from '../support/side-by-side.ts';

const FIRST_BYTE_MS = 1_000;
const IDLE_MS = 1_000;
const TOTAL_MS = 2_500;
const BODY = '{"name":"hostile"}';

const raw = (text: string): Fault => ({ kind: 'raw', base64: Buffer.from(text, 'latin1').toString('base64') });
const line = (text: string): Fault => ({ kind: 'status-line', line: text });
const head = (lines: string, body = '{}'): Fault =>
  raw(`HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n${lines}\r\n${body}`);

/** A device of its own, in a team with a line of its own: what a scene does is nobody else's. */
interface Stage {
  readonly path: string;
  readonly auth: string;
  plan(fault: Fault, times?: number | 'always'): Promise<void>;
  ask(method: 'GET' | 'POST', wait?: number): Promise<RawAnswer>;
  /** What of it came to Mason. */
  seen(): Promise<ShownRequest[]>;
  outcome(): Promise<Readonly<Record<string, unknown>> | undefined>;
}

interface Scene {
  readonly danger: string;
  readonly rfc: string;
  /** A pause is the whole line's: such scenes have a team to themselves. */
  readonly pauses?: true;
  readonly play: (stage: Stage) => Promise<void>;
}

const NOT_HTTP: readonly (readonly [danger: string, rfc: string, fault: Fault])[] = [
  ['a status of 000', '9110 15', line('HTTP/1.1 000 ')],
  ['a status of 099', '9110 15', line('HTTP/1.1 099 Early')],
  ['a status of 600', '9110 15', line('HTTP/1.1 600 Beyond')],
  ['a status of 999', '9110 15', line('HTTP/1.1 999 Beyond')],
  ['a status of two digits', '9112 4', line('HTTP/1.1 20 OK')],
  ['a status of four digits', '9112 4', line('HTTP/1.1 2000 OK')],
  ['four digits that begin like an interim answer', '9112 4', line('HTTP/1.1 1000 OK')],
  ['a negative status', '9112 4', line('HTTP/1.1 -20 OK')],
  ['a status in words', '9112 4', line('HTTP/1.1 OK 200')],
  ['two spaces before the status', '9112 4', line('HTTP/1.1  200 OK')],
  ['a lower-case version', '9112 2.3', line('http/1.1 200 OK')],
  ['another version', '9112 2.3', line('HTTP/2 200 OK')],
  ['another protocol', '9112 2.3', line('ICY 200 OK stream')],
  ["another protocol's greeting", '9112 2.3', raw('220 smtp.evil.example ESMTP ready to serve\r\n')],
  ['a page without a head (HTTP/0.9)', '9112 2.3', raw('<html><body>hello from HTTP/0.9</body></html>')],
  ['a TLS alert', '9112 2.3', raw('\x15\x03\x01\x00\x02\x02\x46 and some more bytes')],
  ['101 unasked', '9110 15.2.2', { kind: 'switching-protocols' }],
  ['101 unasked, without an upgrade', '9110 15.2.2', raw('HTTP/1.1 101 Switching Protocols\r\n\r\n')],
  ['101 behind 103', '9110 15.2.2', raw('HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 101 Go\r\n\r\n')],
  ['000 behind 103', '9110 15', raw('HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 000 Nothing\r\n\r\n')],
  ['garbage behind 100', '9110 15', raw('HTTP/1.1 100 Continue\r\n\r\n\x00\x01\x02\x03garbage\r\n\r\n')],
  ['an interim answer of 64 KB', '9110 15.2', raw(`HTTP/1.1 103 Early Hints\r\nLink: ${'x'.repeat(65_536)}\r\n\r\n`)],
  ['Content-Length and chunked together', '9112 6.3', { kind: 'double-framing', form: 'length-and-chunked' }],
  ['two lengths', '9112 6.3', { kind: 'double-framing', form: 'two-lengths' }],
  ['a list of lengths', '9112 6.3', head('Content-Length: 2, 2\r\n')],
  ['a negative length', '9110 8.6', head('Content-Length: -2\r\n')],
  ['a length with a sign', '9110 8.6', head('Content-Length: +2\r\n')],
  ['a length in hex', '9110 8.6', head('Content-Length: 0x2\r\n')],
  ['a length beyond 2^64', '9110 8.6', head('Content-Length: 18446744073709551618\r\n')],
  ['a bare LF with a Set-Cookie behind it', '9112 2.2', { kind: 'bare-lf' }],
  ['a bare CR with a Set-Cookie behind it', '9112 2.2', head('X-A: a\rSet-Cookie: pwn=1\r\nContent-Length: 2\r\n')],
  ['a folded line', '9112 5.2', head('X-A: a\r\n Set-Cookie: pwn=1\r\nContent-Length: 2\r\n')],
  ['a space before the colon', '9112 5.1', head('Content-Length : 2\r\n')],
  ['an empty header name', '9112 5', head(': x\r\nContent-Length: 2\r\n')],
  ['a header of 64 KB', '9110 5.4', { kind: 'huge-header' }],
  ['5,000 headers', '9110 5.4', head(`${'X-Many: x\r\n'.repeat(5_000)}Content-Length: 2\r\n`)],
  ['NUL in a header', '9110 5.5', { kind: 'control-characters', byte: 0 }],
  ['a control character in a header', '9110 5.5', { kind: 'control-characters' }],
  ['DEL in a header', '9110 5.5', { kind: 'control-characters', byte: 127 }],
];

const NO_HTTP: readonly Scene[] = NOT_HTTP.map(([danger, rfc, fault]) => ({
  danger,
  rfc,
  async play({ plan, ask, outcome, seen }) {
    await plan(fault);
    for (const method of ['GET', 'POST'] as const) {
      const answer = await ask(method);
      expectRefusal(answer, 502);
      // Nothing of Mason's strange words, and not where it stands.
      expect(answer.headers).not.toHaveProperty('set-cookie');
      expect(answer.body.toString('latin1')).not.toMatch(new RegExp(`pwn|evil|<html|${bench.sim.port}`));
    }
    expect(await outcome()).toMatchObject({ operation: 'device.rename', status: 502, result: 'unknown' });
    // Asking again would get the same: neither was sent twice.
    expect(await seen()).toHaveLength(2);
  },
}));

const MANY_INTERIM = [[100], [102], [103], [100, 100], [102, 103, 100, 199], Array.from({ length: 50 }, () => 100)];
const INTERIM: readonly Scene[] = MANY_INTERIM.map((statuses) => ({
  danger: `${JSON.stringify(statuses)} before the final one`,
  rfc: '9110 15.2',
  async play({ plan, ask }) {
    await plan({ kind: 'informational', statuses });
    const read = await ask('GET');
    expect(read).toMatchObject({ status: 200, complete: true, interim: [] });
    expect(JSON.parse(read.body.toString())).toHaveProperty('data');
    expect(await ask('POST')).toMatchObject({ status: 200, complete: true });
  },
}));

const CHUNKED = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{"\r\n';
const BROKEN_OFF: readonly (readonly [danger: string, fault: Fault])[] = [
  ['short of its length', { kind: 'truncated-body', framing: 'length' }],
  ['without the last chunk', { kind: 'truncated-body', framing: 'chunked' }],
  ['short of its length, the connection open', { kind: 'wrong-length', by: 10 }],
  ['reset in the middle', { kind: 'reset', when: 'after-headers' }],
  ['with a broken chunk size', raw(`${CHUNKED}zz\r\n`)],
  ['with a signed chunk size', raw(`${CHUNKED}+2\r\n{}\r\n0\r\n\r\n`)],
  ['with a chunk longer than its size', raw(`${CHUNKED}1\r\n{}\r\n0\r\n\r\n`)],
  ['with a bare LF behind a chunk size', raw(`${CHUNKED}2\n{}\r\n0\r\n\r\n`)],
  ['in its last chunk', raw(`${CHUNKED}0\r\n`)],
  ['in a chunk size', raw(`${CHUNKED}5`)],
];

const SHORT: readonly Scene[] = [
  ...BROKEN_OFF.map(
    ([danger, fault]): Scene => ({
      danger,
      rfc: '9112 8',
      async play({ plan, ask, outcome, seen }) {
        await plan(fault);
        for (const method of ['GET', 'POST'] as const) {
          // Aborted after its head, before its head, or refused in our shape; but never a whole 200.
          const answer = await ask(method).catch((error: Error) => error);
          if (answer instanceof Error) expect(answer.message).toMatch(/^the connection ended/);
          else if (answer.complete) expectRefusal(answer, 502, 504);
          else expect(answer.status).toBe(200);
        }
        expect((await outcome())?.['result']).toMatch(/^(?:aborted|unknown)$/);
        expect((await seen()).filter(({ method }) => method === 'POST')).toHaveLength(1);
      },
    }),
  ),
  {
    danger: 'dripping forever: it ends with the total time',
    rfc: '9112 8',
    async play({ plan, ask, outcome }) {
      await plan({ kind: 'slow-body', delayMs: 100 }, 1);
      expect(await ask('GET', 0)).toMatchObject({ status: 200, complete: false });
      expect(await outcome()).toMatchObject({ result: 'aborted', operation: 'device.get' });
    },
  },
];

const NONE: readonly Scene[] = [
  ...(['GET', 'POST'] as const).map(
    (method): Scene => ({
      danger: `${method} that hangs: 504 within the time, sent once`,
      rfc: '9110 15.6.5',
      async play({ plan, ask, seen, outcome }) {
        await plan({ kind: 'hang' });
        expectRefusal(await ask(method), 504);
        expect(await seen()).toHaveLength(1);
        expect(await outcome()).toMatchObject({ status: 504, result: method === 'POST' ? 'unknown' : 'failed' });
      },
    }),
  ),
  ...(['before-headers', 'before-body'] as const).map(
    (when): Scene => ({
      danger: `a change that is reset ${when} is not sent again, and nobody says what became of it`,
      rfc: '9110 9.2.2',
      async play({ plan, ask, seen, outcome }) {
        await plan({ kind: 'reset', when });
        expect(expectRefusal(await ask('POST'), 502)).toMatch(/not known/);
        expect(await seen()).toHaveLength(1);
        expect(await outcome()).toMatchObject({ operation: 'device.rename', status: 502, result: 'unknown' });
      },
    }),
  ),
  {
    danger: 'a read that is reset is sent again',
    rfc: '9110 9.2.2',
    async play({ plan, ask, seen }) {
      await plan({ kind: 'reset' }, 2);
      expect(await ask('GET', 10)).toMatchObject({ status: 200, complete: true });
      expect(await seen()).toHaveLength(3);
    },
  },
  {
    danger: 'a read that is always reset is 502 in its time, without a hot loop',
    rfc: '9110 9.2.2',
    async play({ plan, ask, seen }) {
      await plan({ kind: 'reset' });
      expectRefusal(await ask('GET', 1), 502);
      expect((await seen()).length).toBeLessThan(12);
    },
  },
];

const RETRY_AFTER: readonly (readonly [string, () => Record<string, string>])[] = [
  ['0', () => ({ 'Retry-After': '0' })],
  ['1', () => ({ 'Retry-After': '1' })],
  ['a date to come', () => ({ 'Retry-After': new Date(Date.now() + 1_500).toUTCString() })],
  ['a date gone by', () => ({ 'Retry-After': 'Mon, 01 Jan 2001 00:00:00 GMT' })],
  ['-5', () => ({ 'Retry-After': '-5' })],
  ['1e9', () => ({ 'Retry-After': '1e9' })],
  ['99999999999999999999', () => ({ 'Retry-After': '99999999999999999999' })],
  ['garbage', () => ({ 'Retry-After': 'soon, I promise' })],
  ['nothing', () => ({})],
  ['two of them', () => ({ 'Retry-After': '1, 2' })],
];

const PAUSES: readonly Scene[] = [
  ...RETRY_AFTER.map(
    ([danger, headers]): Scene => ({
      danger: `429 with Retry-After ${danger}: a bounded wait, then the call succeeds`,
      rfc: '9110 10.2.3',
      pauses: true,
      async play({ plan, ask, seen }) {
        await plan({ kind: 'status', status: 429, headers: headers() }, 1);
        expect(await ask('GET', 10)).toMatchObject({ status: 200, complete: true });
        expect(await seen()).toHaveLength(2);
      },
    }),
  ),
  ...RETRY_AFTER.map(
    ([danger, headers]): Scene => ({
      danger: `503 with Retry-After ${danger}: again or an error, never a loop; the next call succeeds`,
      rfc: '9110 10.2.3',
      pauses: true,
      async play({ plan, ask, seen }) {
        await plan({ kind: 'status', status: 503, headers: headers() }, 1);
        expect([200, 502]).toContain((await ask('GET', 4)).status);
        expect((await seen()).length).toBeLessThanOrEqual(2);
        expect(await ask('GET', 4)).toMatchObject({ status: 200 });
      },
    }),
  ),
  {
    danger: '429 again and again: told in time, with Retry-After, and Mason is not hammered',
    rfc: '6585 4',
    pauses: true,
    async play({ plan, ask, seen }) {
      await plan({ kind: 'status', status: 429, headers: { 'Retry-After': '0' } });
      const answer = await ask('GET', 1);
      expectRefusal(answer, 429);
      expect(answer.headers['retry-after']).toMatch(/^[1-9]\d*$/);
      expect((await seen()).length).toBeLessThan(12);
    },
  },
  {
    danger: '503 to a change is told, not tried again',
    rfc: '9110 9.2.2',
    pauses: true,
    async play({ plan, ask, seen }) {
      await plan({ kind: 'status', status: 503, headers: { 'Retry-After': '0' } });
      expect(await ask('POST')).toMatchObject({ status: 502, headers: { 'error-source': 'mason' } });
      expect(await seen()).toHaveLength(1);
    },
  },
];

const SCENES: readonly Scene[] = [...NO_HTTP, ...INTERIM, ...SHORT, ...NONE, ...PAUSES];
const PAUSING = SCENES.filter(({ pauses }) => pauses);
const keyOf = (index: number): string => `${OWNER_KEY}-${index}`;

let bench: RawBench;
let scenes: ReturnType<typeof sideBySide<Scene, void>>;
beforeAll(async () => {
  const keys = PAUSING.flatMap((_, index) => ['--key', `${keyOf(index)}=account:owner`]);
  bench = await openBench(
    {
      mason: { firstByteMs: FIRST_BYTE_MS, idleMs: IDLE_MS, totalMs: TOTAL_MS },
      lane: { pauseMsMax: 1_000 },
    },
    ['--devices', String(SCENES.length), ...keys],
  );
  await bench.good();
  const auths = await Promise.all(PAUSING.map((_, index) => ownTeam(index)));
  const list = await bench.gateway.call(bench.token, `/v1/default/device?limit=${SCENES.length}`);
  const { data } = (await list.json()) as { data: { id: string }[] };
  scenes = sideBySide(SCENES, (scene) => {
    const path = `/v1/default/device/${data[SCENES.indexOf(scene)]?.id}`;
    return scene.play(stageAt(path, auths[PAUSING.indexOf(scene)] ?? bench.auth));
  });
});
afterAll(() => bench.close());

/** @returns its lines of Host and Authorization */
async function ownTeam(index: number): Promise<string> {
  const { administer } = bench.gateway;
  const team = `team-${index}`;
  await administer('team.add', { slug: team });
  await administer('key.add', { team, name: 'key', key: keyOf(index), scopes: ['account:owner'], limit: '100000/1s' });
  await administer('app.add', { team, name: 'tests' });
  const grant = { scopes: ['account:owner'], effects: 'destructive' };
  const { token } = (await administer('token.create', { team, app: 'tests', ...grant })) as { token: string };
  return bench.auth.replace(bench.token, token);
}

function stageAt(path: string, auth: string): Stage {
  return {
    path,
    auth,
    plan: (fault, times = 'always') => bench.sim.faults({ match: { path }, times, fault }),
    async ask(method, wait = 1) {
      using socket = await bench.open();
      const body = method === 'GET' ? '\r\n' : `Content-Length: ${BODY.length}\r\n\r\n${BODY}`;
      await socket.write(`${method} ${path} HTTP/1.1\r\n${auth}Prefer: wait=${wait}\r\n${body}`);
      const answer = await socket.answer();
      expect(socket.rest).toBe('');
      return answer;
    },
    seen: async () => (await bench.sim.requests(1_000)).filter(({ target }) => target === path),
    async outcome() {
      const events = await bench.gateway.record({ kind: 'outcome' });
      return events.find((event) => event['path'] === path);
    },
  };
}

describe.each([
  ['what is no HTTP/1.1 is 502, promptly, and nothing of it passes', NO_HTTP],
  ['interim answers are never taken for the answer', INTERIM],
  ['an answer that breaks off is never a well-framed short one', SHORT],
  ['no answer at all', NONE],
  ['Mason asks for a pause', PAUSES],
])('%s', (_, group) => {
  test.each(group)('$danger (RFC $rfc)', (scene) => scenes.of(scene));
});

test('the very process that met all of it still serves, and has given up what hung', async () => {
  await Promise.allSettled(SCENES.map((scene) => scenes.of(scene)));
  await bench.sim.clearFaults();
  await bench.good();
  await eventually('no call is open', async () => (await bench.callsOpen()) === 0);
  // What is kept alive is idle: connections whose answer never came were destroyed.
  await eventually('nothing is in flight at Mason', async () => (await bench.sim.stats()).inFlight === 0);
});
