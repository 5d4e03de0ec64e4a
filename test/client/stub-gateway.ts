import type { ServerResponse } from 'node:http';
import type { SessionView } from '../../src/client/client.ts';
import { type Heard, json, type OddGateway, oddGateway } from './odd-gateway.ts';

/** A gateway in so far as a page can tell: one person with a session, or nobody; calls go on to a simulator. */
export interface StubGateway extends OddGateway {
  /** Undefined: nobody is signed in. */
  session: SessionView | undefined;
  /** Answers the next calls below `/v1` in Mason's place, one each. */
  readonly refusals: ((res: ServerResponse) => void)[];
}

/** Starts one for the page of this origin. */
export async function stubGateway(pageOrigin: string, masonUrl: string, masonKey: string): Promise<StubGateway> {
  const answer = async (res: ServerResponse, heard: Heard): Promise<void> => {
    res.setHeader('Access-Control-Allow-Origin', pageOrigin);
    res.setHeader('Access-Control-Allow-Credentials', 'true');
    res.setHeader('Access-Control-Allow-Headers', 'Content-Type, X-Requested-By, Gateway-Team, Prefer');
    res.setHeader(
      'Access-Control-Expose-Headers',
      'Request-Id, Error-Source, Retry-After, RateLimit, RateLimit-Policy',
    );
    if (heard.method === 'OPTIONS') res.writeHead(204).end();
    else if (heard.url === '/auth/account')
      res.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Sign in here</h1>');
    else if (stub.session === undefined) json(res, { type: 'authentication_error', message: 'nobody' }, 401);
    else if (heard.url.startsWith('/auth/session')) json(res, stub.session);
    else if (heard.url === '/auth/logout') {
      stub.session = undefined;
      res.writeHead(204).end();
    } else await callMason(res, heard);
  };
  const callMason = async (res: ServerResponse, { method, url, body }: Heard): Promise<void> => {
    const refuse = stub.refusals.shift();
    if (refuse !== undefined) {
      refuse(res);
      return;
    }
    const headers = { authorization: `basic ${masonKey}`, 'content-type': 'application/json' };
    const answer = await fetch(masonUrl + url, { method, headers, ...(body === '' ? {} : { body }) });
    res.setHeader('RateLimit-Policy', '"mason";q=50;w=1');
    res.setHeader('RateLimit', '"mason";r=49;t=1');
    res.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text());
  };
  const server = await oddGateway((res, heard) => void answer(res, heard));
  const stub: StubGateway = Object.assign(server, { session: undefined, refusals: [] });
  return stub;
}
