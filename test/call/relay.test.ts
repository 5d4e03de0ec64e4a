import { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { Call } from '../../src/call/call.ts';
import { relay } from '../../src/call/relay.ts';
import { GatewayError } from '../../src/domain/errors.ts';
import { AnswerBody } from '../../src/mason/answer-body.ts';
import { formsOf, Redactor } from '../../src/mason/redact.ts';
import type { Answer } from '../../src/mason/send.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const IDLE_MS = 40;
const SHARE = { calls: 1, windowMs: 1_000, remaining: 0, resetMs: 0 };

/** A caller's end of the answer that reads only when the test says so. */
class SlowReader extends EventEmitter {
  readonly got: Buffer[] = [];
  destroyed = false;
  writableFinished = false;
  #finish: (() => void) | undefined;

  writeHead(): void {}

  write(chunk: Buffer): boolean {
    this.got.push(chunk);
    return false;
  }

  end(tail: Buffer | undefined, finished: () => void): void {
    if (tail !== undefined) this.got.push(tail);
    this.#finish = finished;
  }

  destroy(): void {
    this.destroyed = true;
    this.emit('close');
  }

  readAll(): void {
    this.emit('drain');
    if (this.#finish === undefined) return;
    this.writableFinished = true;
    this.#finish();
  }
}

const begin = (): { reader: SlowReader; body: AnswerBody; call: Call; done: Promise<string> } => {
  const reader = new SlowReader();
  const body = new AnswerBody({ pause() {}, resume() {}, abort: (reason) => body.fail(reason) });
  const req = { method: 'GET', headers: {}, socket: {} } as IncomingMessage;
  const target = { path: '/v1/default/device', query: '' };
  const call = new Call(
    { req, res: reader as unknown as ServerResponse, target, address: '127.0.0.1' },
    new VirtualClock(),
    { closed: () => undefined },
  );
  const answer: Answer = { status: 200, headers: {}, body, firstByteMs: 0 };
  body.push(Buffer.alloc(40_000, 'a'));
  body.push(Buffer.alloc(40_000, 'b'));
  const done = relay(call, answer, new Redactor(formsOf('a-key-of-masons')), SHARE, IDLE_MS).then(
    () => 'relayed',
    (error: Error) => error.name,
  );
  return { reader, body, call, done };
};

describe('relaying to a slow reader', () => {
  test('A reader who takes several pieces late is not taken for gone afterwards: each wait ends when it reads', async () => {
    const { reader, body, call, done } = begin();
    reader.readAll();
    await sleep(IDLE_MS * 3);
    expect(reader.destroyed).toBe(false);
    body.end();
    await sleep(0);
    reader.readAll();
    expect(await done).toBe('relayed');
    await sleep(IDLE_MS * 3);
    expect([reader.destroyed, call.signal.aborted]).toEqual([false, false]);
    expect(Buffer.concat(reader.got)).toHaveLength(80_000);
  });

  test('An answer counts as relayed when its last byte has left, not before: a gateway that ends would cut it', async () => {
    const { reader, body, done } = begin();
    let settled = false;
    void done.then(() => {
      settled = true;
    });
    reader.readAll();
    body.end();
    await sleep(5);
    expect(settled).toBe(false);
    reader.readAll();
    expect(await done).toBe('relayed');
  });

  test('A reader who takes nothing is let go, in the middle and at the end', async () => {
    const middle = begin();
    middle.call.signal.addEventListener('abort', () => middle.body.discard());
    expect(await middle.done).not.toBe('relayed');
    expect(middle.reader.destroyed).toBe(true);
    expect(middle.call.signal.reason).toMatchObject({ code: 'caller_gone' });

    const end = begin();
    end.reader.readAll();
    end.body.end();
    expect(await end.done).toBe('SendFailure');
    expect(end.reader.destroyed).toBe(true);
  });

  test('A call that is ended while its last bytes wait does not wait for them', async () => {
    const { reader, body, call, done } = begin();
    reader.readAll();
    body.end();
    await sleep(5);
    call.abort(new GatewayError('shutting_down', 'the gateway is shutting down'));
    expect(await done).toBe('SendFailure');
    expect(reader.destroyed).toBe(true);
  });
});
