import { type Contestant, MASON_KEY, PATH } from './contestant.ts';
import type { Upstream } from './nginx.ts';

/**
 * That a contestant does what it is timed for: the answer whole, the key put on, the caller's credential left behind.
 *
 * @throws Error when it does not
 */
export async function checkContestant(contestant: Contestant, upstream: Upstream, token: string): Promise<void> {
  const { name, url } = contestant;
  const headers = { authorization: `Bearer ${token}`, connection: 'close' };
  const answer = await fetch(`${url}${PATH}&check=${name}`, { headers });
  const body = await answer.text();
  if (answer.status !== 200) throw new Error(`${name} answered ${answer.status}: ${body}`);
  if (body !== upstream.body) throw new Error(`${name} answered another body: ${body.slice(0, 200)}`);
  const type = answer.headers.get('content-type');
  if (type !== 'application/json') throw new Error(`${name} answered the content type ${type}`);
  const got = await upstream.authorizationOf(name);
  if (got !== `basic ${MASON_KEY}`) throw new Error(`${name} put another key on: ${got}`);
  await contestant.check?.(answer);
}
