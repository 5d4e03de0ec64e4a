import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type SimulatorProcess, spawnSimulator } from '../support/simulator.ts';
import { apiAt } from './api-client.ts';
import { answered, play } from './play.ts';
import { talk } from './raw-client.ts';

let sim: SimulatorProcess;
let api: ReturnType<typeof apiAt>;
beforeAll(async () => {
  sim = await spawnSimulator(['--devices', '3', '--groups', '2', '--key', 'demo-owner-key=account:owner']);
  api = apiAt(sim.url);
});
afterAll(() => sim.close());
beforeEach(() => sim.reset());

describe('framing that no client may trust', () => {
  test.each(['HTTP/1.1 000 ', 'HTTP/1.1 099 Early', 'garbage'])('the status line %j', async (line) => {
    const heard = await play(sim, { kind: 'status-line', line });
    expect(heard.text.startsWith(`${line}\r\n`)).toBe(true);
    expect(heard.end).toBe('end');
  });

  test('101 that nobody asked for, on a connection that stays open', async () => {
    const { text } = await play(sim, { kind: 'switching-protocols' }, (heard) => heard.endsWith('\r\n\r\n'));
    expect(text).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n/);
  });

  test('1xx answers before the final one', async () => {
    const { text } = await play(sim, { kind: 'informational', statuses: [100, 102, 103] }, answered);
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 100', 'HTTP/1.1 102', 'HTTP/1.1 103', 'HTTP/1.1 200']);
  });

  test('a length and chunked, or two lengths', async () => {
    const both = await play(sim, { kind: 'double-framing', form: 'length-and-chunked' });
    expect(both.head).toMatch(/Content-Length: \d+\r\nTransfer-Encoding: chunked$/);
    const two = await play(sim, { kind: 'double-framing', form: 'two-lengths' });
    expect(two.head.match(/Content-Length: \d+/g)).toHaveLength(2);
    expect(new Set(two.head.match(/Content-Length: \d+/g)).size).toBe(2);
  });

  test('a bare LF that hides a cookie, and control characters in a header', async () => {
    expect((await play(sim, { kind: 'bare-lf' })).text).toContain('X-Harmless: yes\nSet-Cookie: pwn=1');
    expect((await play(sim, { kind: 'control-characters', byte: 0 })).text).toContain('X-Control: a\0b\r\n');
  });

  test('a length that is too long leaves the caller waiting, one that is too short leaves bytes over', async () => {
    const claimed = (head: string) => Number(/Content-Length: (\d+)/.exec(head)?.[1]);
    const long = await play(sim, { kind: 'wrong-length', by: 10 }, answered);
    expect(claimed(long.head)).toBe(long.body.length + 10);
    const short = await play(sim, { kind: 'wrong-length', by: -10 }, answered);
    expect(claimed(short.head)).toBe(short.body.length - 10);
  });

  test('raw bytes as they stand', async () => {
    const base64 = Buffer.from([0, 255, 13, 10, 65]).toString('base64');
    expect(await play(sim, { kind: 'raw', base64 })).toMatchObject({ text: '\0\xff\r\nA', end: 'end' });
  });
});

describe('connections that die or stall', () => {
  test('the body is cut in the middle, whichever way it is framed', async () => {
    const byLength = await play(sim, { kind: 'truncated-body', framing: 'length' });
    expect(byLength.body.length).toBeLessThan(Number(/Content-Length: (\d+)/.exec(byLength.head)?.[1]));
    expect(byLength.end).toBe('end');
    const chunked = await play(sim, { kind: 'truncated-body', framing: 'chunked' });
    expect(chunked.head).toContain('Transfer-Encoding: chunked');
    expect(chunked.text).not.toContain('\r\n0\r\n');
  });

  test.each(['before-body', 'before-headers'] as const)('RST %s: not a byte of an answer', async (when) => {
    expect(await play(sim, { kind: 'reset', when })).toMatchObject({ text: '', end: 'reset' });
  });

  test('RST before the body is whole: the caller is still sending', async () => {
    await sim.faults({ kind: 'reset', when: 'before-body' });
    const head = 'POST /v1/default/artifact HTTP/1.1\r\nHost: m\r\nContent-Length: 1000000\r\n\r\n';
    expect(await talk(sim.port, [head, 'x'.repeat(1000)])).toMatchObject({ text: '', end: 'reset' });
    expect((await sim.requests())[0]).toMatchObject({ fault: 'reset', status: null });
  });

  test('RST after the head and half the body', async () => {
    const heard = await play(sim, { kind: 'reset', when: 'after-headers' });
    expect(heard.end).toBe('reset');
    expect(heard.head).toMatch(/^HTTP\/1\.1 200 /);
    expect(heard.body.length).toBeGreaterThan(0);
  });

  test('no answer at all', async () => {
    await sim.faults({ kind: 'hang' });
    const caller = new AbortController();
    const hanging = expect(fetch(`${sim.url}/v1/default/group`, { signal: caller.signal })).rejects.toThrow('aborted');
    while ((await sim.stats()).faultsPlayed === 0);
    expect((await api('GET', '/default/group')).status).toBe(200);
    caller.abort();
    await hanging;
  });

  test('a slow head, and a body that drips', async () => {
    const began = performance.now();
    await play(sim, { kind: 'slow-headers', delayMs: 60 }, answered);
    expect(performance.now() - began).toBeGreaterThanOrEqual(59);
    await sim.faults({ kind: 'slow-body', delayMs: 5, pieceBytes: 40 });
    const response = await fetch(`${sim.url}/v1/default/group`, { headers: { authorization: 'basic demo-owner-key' } });
    const pieces: number[] = [];
    for await (const piece of response.body ?? []) pieces.push(piece.length);
    expect(pieces.length).toBeGreaterThan(3);
    expect(pieces.reduce((sum, length) => sum + length, 0)).toBe(Number(response.headers.get('content-length')));
  });
});

test('a caller who leaves in the middle of a slow or large answer harms nobody', async () => {
  for (const fault of [
    { kind: 'slow-body', delayMs: 1 },
    { kind: 'large', bytes: 1_000_000_000 },
    { kind: 'slow-headers', delayMs: 5 },
  ] as const) {
    await sim.faults(fault);
    const caller = new AbortController();
    const asked = fetch(`${sim.url}/v1/default/group`, { signal: caller.signal });
    if (fault.kind !== 'slow-headers') await (await asked).body?.getReader().read();
    caller.abort();
    await asked.catch(() => undefined);
  }
  while ((await sim.stats()).inFlight > 0);
  expect((await api('GET', '/default/group')).status).toBe(200);
});
