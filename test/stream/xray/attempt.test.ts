import { EventEmitter } from 'node:events';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { expect, test } from '@jest/globals';
import { Attempt } from '../../../src/stream/xray/attempt.ts';
import type { Tunnel } from '../../../src/stream/xray/tunnel.ts';

test('A refusal with endless words is read to a bound, and its connection is given up', async () => {
  const request = new EventEmitter();
  const attempt = new Attempt({
    tunnel: { destroy() {}, destroyed: false } as unknown as Tunnel,
    signal: new AbortController().signal,
    answerMs: 20_000,
    onSwitch: () => '',
  });
  attempt.asked(request as ClientRequest);
  let said = 0;
  const endless = new Readable({
    read() {
      said += 16_384;
      setImmediate(() => this.push(Buffer.alloc(16_384)));
    },
  });
  request.emit('response', Object.assign(endless, { statusCode: 409, headers: {} }) as unknown as IncomingMessage);
  expect(await attempt.answer).toMatchObject({ kind: 'refused', status: 409, body: { length: 65_536 } });
  expect(endless.destroyed).toBe(true);
  expect(said).toBeLessThan(200_000);
});
