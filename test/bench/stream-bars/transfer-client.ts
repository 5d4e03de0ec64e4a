// One transfer: `node transfer-client.ts up|down URL BYTES TOKEN [digest]`; prints its result as one line of JSON.

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { pattern } from '../../../src/simulator/pattern.ts';

/** What a client says of a transfer. */
export interface TransferResult {
  readonly bytes: number;
  readonly ms: number;
  /** Of what arrived, where it was asked for. */
  readonly sha256?: string;
}

const [way, url = '', wanted, token, digests] = process.argv.slice(2);
const bytes = Number(wanted);
const path = '/v1/default/artifact';
const flag = digests === undefined ? '' : '&digest=1';

async function up(): Promise<TransferResult> {
  const outgoing = request(`${url}${path}?name=bench&version=1&type=apk${flag}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-length': bytes },
  });
  const answered = once(outgoing, 'response') as Promise<[IncomingMessage]>;
  const from = performance.now();
  for (const piece of pattern(0, bytes)) if (!outgoing.write(piece)) await once(outgoing, 'drain');
  outgoing.end();
  const [answer] = await answered;
  const said = await text(answer);
  if (answer.statusCode !== 200) throw new Error(`${answer.statusCode}: ${said}`);
  return { ...(JSON.parse(said) as TransferResult), ms: performance.now() - from };
}

async function down(): Promise<TransferResult> {
  const from = performance.now();
  const outgoing = request(`${url}${path}/1/content?bytes=${bytes}`, { headers: { authorization: `Bearer ${token}` } });
  outgoing.end();
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
  const digest = digests === undefined ? undefined : createHash('sha256');
  let got = 0;
  answer.on('data', (piece: Buffer) => {
    got += piece.length;
    digest?.update(piece);
  });
  await once(answer, 'end');
  if (answer.statusCode !== 200) throw new Error(`${answer.statusCode}`);
  const ms = performance.now() - from;
  return { bytes: got, ms, ...(digest === undefined ? {} : { sha256: digest.digest('hex') }) };
}

console.log(JSON.stringify(await (way === 'up' ? up() : down())));
