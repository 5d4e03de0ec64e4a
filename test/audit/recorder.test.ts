import { beforeEach, describe, expect, test } from '@jest/globals';
import { Recorder } from '../../src/audit/recorder.ts';
import { ManualClock, turn } from './manual-clock.ts';
import { sampleIntent, sampleOutcome } from './sample-events.ts';

/** A writer whose batches end when the test says so. */
class FakeWriter {
  readonly batches: { n: number; text: string }[] = [];
  #settle: ((problem: string | undefined) => void) | undefined;
  /** What becomes of a batch at once; without it, the test decides. */
  always: { problem: string | undefined } | undefined;

  write(n: number, lines: Uint8Array): Promise<void> {
    this.batches.push({ n, text: Buffer.from(lines).toString('latin1') });
    return new Promise((resolve, reject) => {
      this.#settle = (problem) => {
        this.#settle = undefined;
        if (problem === undefined) resolve();
        else reject(new Error(problem));
      };
      if (this.always !== undefined) this.#settle(this.always.problem);
    });
  }

  async end(problem?: string): Promise<void> {
    this.#settle?.(problem);
    await turn();
  }

  /** Request ids, or acts of the gateway, by batch. */
  get written(): string[][] {
    return this.batches.map(({ text }) =>
      text
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line))
        .map(({ kind, act, requestId }) => (kind === 'admin' ? act : requestId)),
    );
  }
}

const LIMITS = { intentMsMax: 500, flushMsMax: 200, lagEventsMax: 5, lagBytesMax: 1_000_000 };

describe('the recorder', () => {
  let clock: ManualClock;
  let writer: FakeWriter;
  let recorder: Recorder;
  let problems: string[];

  beforeEach(() => {
    clock = new ManualClock();
    writer = new FakeWriter();
    problems = [];
    recorder = new Recorder({ clock, ...LIMITS, onProblem: (problem) => problems.push(problem) }, writer);
  });

  function intend(requestId: string): { state: () => string; error: () => unknown } {
    let state = 'waiting';
    let error: unknown;
    recorder.intend(sampleIntent({ requestId })).then(
      () => {
        state = 'durable';
      },
      (reason) => {
        state = 'refused';
        error = reason;
      },
    );
    return { state: () => state, error: () => error };
  }

  function append(requestId: string): void {
    recorder.append(sampleOutcome({ requestId, at: clock.epochMs() }));
  }

  test('an intent is written at once, and settles when its batch is durable', async () => {
    const intent = intend('a');
    await turn();
    expect(writer.written).toEqual([['a']]);
    expect(intent.state()).toBe('waiting');
    await writer.end();
    expect(intent.state()).toBe('durable');
  });

  test('intents of one turn, and all that come while a batch is under way, share one; what was appended rides along', async () => {
    intend('a');
    intend('b');
    await turn();
    append('read');
    for (const id of ['c', 'd']) intend(id);
    await writer.end();
    expect(writer.written).toEqual([
      ['a', 'b'],
      ['read', 'c', 'd'],
    ]);
  });

  test('what is appended is written after the flush time, together', async () => {
    append('a');
    await clock.advance(150);
    append('b');
    expect(writer.written).toEqual([]);
    await clock.advance(50);
    expect(writer.written).toEqual([['a', 'b']]);
    append('c');
    await writer.end();
    await clock.advance(199);
    expect(writer.written).toHaveLength(1);
    await clock.advance(1);
    expect(writer.written.at(-1)).toEqual(['c']);
  });

  test('a batch that has its size is written without waiting', async () => {
    recorder = new Recorder({ clock, ...LIMITS, lagEventsMax: 10_000, onProblem: () => undefined }, writer);
    for (let n = 0; n < 1000; n += 1) append(String(n));
    await turn();
    expect(writer.batches).toHaveLength(1);
    expect(writer.batches[0]?.text.length).toBeGreaterThan(200_000);
    await writer.end();
    // The rest is not of that size.
    expect(writer.batches).toHaveLength(1);
  });

  test('when writing fails, whoever waits is refused, the next ones at once; other events are kept and tried again', async () => {
    append('read 1');
    const first = intend('a');
    await turn();
    const second = intend('b');
    append('read 2');
    await writer.end('disk full');
    expect([first.state(), second.state()]).toEqual(['refused', 'refused']);
    expect(first.error()).toMatchObject({ name: 'GatewayError', code: 'record_unavailable', retryAfterMs: 100 });
    const third = intend('c');
    await turn();
    expect(third.state()).toBe('refused');
    expect(recorder.health()).toEqual({
      writable: false,
      gap: 0,
      lagEvents: 2,
      lagBytes: expect.any(Number),
      problem: 'disk full',
    });
    expect(problems).toEqual(['disk full']);
    await clock.advance(100);
    await writer.end();
    await clock.advance(200);
    await writer.end();
    expect(writer.written).toEqual([['read 1', 'a'], ['read 1'], ['read 2']]);
    expect(writer.batches.map(({ n }) => n)).toEqual([1, 1, 2]);
    expect(recorder.health()).toEqual({ writable: true, gap: 0, lagEvents: 0, lagBytes: 0, problem: undefined });
  });

  test('it recovers by itself, with pauses that grow to 2 s, when nobody writes anything', async () => {
    writer.always = { problem: 'read-only' };
    intend('a');
    await turn();
    await clock.advance(100 + 200 + 400 + 800 + 1600 + 2000 + 2000);
    expect(writer.batches).toHaveLength(8);
    writer.always = { problem: undefined };
    await clock.advance(2000);
    expect(recorder.health()).toMatchObject({ writable: true, lagEvents: 0 });
    expect(problems).toEqual(['read-only']);
    const after = intend('b');
    await turn();
    expect(after.state()).toBe('durable');
  });

  test('it tries again also when the timer ends before its time', async () => {
    const early: typeof clock.after = (delayMs, callback) => clock.after(delayMs - 0.5, callback);
    const hasty = { now: () => clock.now(), epochMs: () => clock.epochMs(), after: early };
    recorder = new Recorder({ clock: hasty, ...LIMITS, onProblem: () => undefined }, writer);
    writer.always = { problem: 'disk full' };
    await recorder.probe();
    await clock.advance(1000);
    expect(writer.batches.length).toBeGreaterThan(2);
  });

  test('an intent that is not durable in time is refused; one that waited for its batch is never written', async () => {
    const first = intend('a');
    await turn();
    await clock.advance(100);
    const second = intend('b');
    await clock.advance(499);
    expect([first.state(), second.state()]).toEqual(['refused', 'waiting']);
    expect(recorder.health()).toMatchObject({ writable: false, problem: 'a write did not end within 500 ms' });
    await clock.advance(1);
    expect(second.state()).toBe('refused');
    await writer.end();
    expect(writer.written).toEqual([['a']]);
    expect(recorder.health()).toMatchObject({ writable: true, lagEvents: 0, lagBytes: 0 });
  });

  test('beyond the bound events are a counted gap, which is recorded first when writing works again', async () => {
    intend('a');
    await turn();
    for (let n = 0; n < 4; n += 1) append(`kept ${n}`);
    const since = clock.epochMs();
    append('lost 1');
    await clock.advance(50);
    append('lost 2');
    await turn();
    expect(recorder.health()).toMatchObject({ gap: 2, lagEvents: 5 });
    await writer.end();
    await clock.advance(200);
    await writer.end();
    expect(writer.written.at(-1)).toEqual(['gateway.gap', 'kept 0', 'kept 1', 'kept 2', 'kept 3']);
    expect(JSON.parse(writer.batches.at(-1)?.text.split('\n')[0] ?? '')).toMatchObject({
      act: 'gateway.gap',
      details: { events: 2, since, until: since + 50 },
    });
    expect(recorder.health()).toMatchObject({ gap: 2, lagEvents: 0, lagBytes: 0 });
  });

  test('reads at the bound do not keep intents out, which have their own', async () => {
    for (let n = 0; n < 9; n += 1) append(String(n));
    const intents = ['a', 'b', 'c', 'd', 'e', 'f'].map(intend);
    await turn();
    expect(intents.map(({ state }) => state())).toEqual([...Array.from({ length: 5 }, () => 'waiting'), 'refused']);
    expect(intents[5]?.error()).toMatchObject({ code: 'record_unavailable' });
    expect(recorder.health()).toMatchObject({ gap: 4, lagEvents: 11 });
    await writer.end();
    expect(intents[0]?.state()).toBe('durable');
    expect(recorder.health()).toMatchObject({ lagEvents: 0, lagBytes: 0 });
  });

  test('the bound holds in bytes too', () => {
    recorder = new Recorder(
      { clock, ...LIMITS, lagEventsMax: 1000, lagBytesMax: 1000, onProblem: () => undefined },
      writer,
    );
    for (let n = 0; n < 10; n += 1) append(String(n));
    expect(recorder.health().lagBytes).toBeLessThanOrEqual(1000);
    expect(recorder.health().lagEvents + recorder.health().gap).toBe(10);
  });

  test('at the bound reads wait for room, as many go on as there is, and none waits for more than 1 s', async () => {
    const waits: string[] = [];
    const wait = (name: string): void => {
      void recorder.room()?.then(() => waits.push(name));
    };
    for (let n = 0; n < 4; n += 1) append(String(n));
    expect(recorder.room()).toBeUndefined();
    append('4');
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) wait(name);
    await clock.advance(200);
    expect(waits).toEqual([]);
    await writer.end();
    expect(waits).toEqual(['a', 'b', 'c', 'd', 'e']);
    await clock.advance(799);
    expect(waits).toHaveLength(5);
    await clock.advance(1);
    expect(waits).toHaveLength(6);
  });

  test('while writing fails reads do not wait: they go as a gap', async () => {
    for (let n = 0; n < 5; n += 1) append(String(n));
    let isReleased = false;
    void recorder.room()?.then(() => {
      isReleased = true;
    });
    await clock.advance(200);
    await writer.end('disk full');
    expect(isReleased).toBe(true);
    expect(recorder.room()).toBeUndefined();
  });

  test('its end writes what is held and the stop', async () => {
    writer.always = { problem: undefined };
    append('a');
    await recorder.close();
    expect(writer.written).toEqual([['a', 'gateway.stop']]);
  });

  test('its end does not wait for a disk that stays full', async () => {
    writer.always = { problem: 'disk full' };
    append('a');
    await recorder.close();
    expect(recorder.health().lagEvents).toBe(2);
  });
});
