import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { OPERATIONS } from '../../src/mason/operations.ts';
import { OWNER_KEY, startGateway, type TestGateway } from '../support/gateway.ts';
import { openPage, type Page } from '../support/page.ts';
import { type SimulatorProcess, spawnSimulator } from '../support/simulator.ts';

/** A frontend that the configuration lists; all others are strangers. */
const LISTED = 'https://app.example.com';
/** What browsers say of the page that asks, and whether it is one of ours. */
const PAGES: readonly { readonly name: string; readonly headers: Record<string, string>; readonly isOurs: boolean }[] =
  [
    { name: 'nobody knows where', headers: {}, isOurs: false },
    { name: 'another site', headers: { Origin: 'https://evil.example' }, isOurs: false },
    { name: 'a sandboxed frame', headers: { Origin: 'null' }, isOurs: false },
    {
      name: 'a sibling subdomain',
      headers: { Origin: 'https://x.example.com', 'Sec-Fetch-Site': 'same-site' },
      isOurs: false,
    },
    { name: 'a listed frontend', headers: { Origin: LISTED, 'Sec-Fetch-Site': 'same-site' }, isOurs: true },
    { name: 'a page of our own', headers: { 'Sec-Fetch-Site': 'same-origin' }, isOurs: true },
  ];

let simulator: SimulatorProcess;
let gateway: TestGateway;
let page: Page;

beforeAll(async () => {
  simulator = await spawnSimulator(['--key', `${OWNER_KEY}=account:owner`]);
  gateway = await startGateway({
    masonUrl: simulator.url,
    settings: { frontends: [{ origin: LISTED, teams: ['alpha'] }] },
  });
  page = await openPage(gateway, { role: 'lead', team: 'alpha' });
});
afterAll(async () => {
  await gateway?.close();
  await simulator?.close();
});

/** As a browser would with the session's cookie, with nothing that a page must add by itself. */
async function ask(method: string, path: string, headers: Record<string, string>): Promise<number> {
  const body = method === 'GET' || method === 'DELETE' ? {} : { body: '{}' };
  const answer = await fetch(gateway.url + path, {
    method,
    headers: { Cookie: page.cookie, 'Content-Type': 'application/json', ...headers },
    ...body,
  });
  await answer.arrayBuffer();
  return answer.status;
}

test('no operation of Mason’s is done for a cookie that comes without the static header, whoever’s page asks', async () => {
  const seen = (await simulator.requests()).length;
  for (const { method, path } of OPERATIONS) {
    const target = path.replace(/\{\w+\}/g, 'some-thing');
    const statuses = await Promise.all(PAGES.map(({ headers }) => ask(method, target, headers)));
    expect([method, target, ...statuses]).toEqual([method, target, ...PAGES.map(() => 403)]);
  }
  expect((await simulator.requests()).length).toBe(seen);
});

test('with the header, changes are done for our own pages and for no other', async () => {
  const seen = (await simulator.requests()).length;
  for (const { headers, isOurs, name } of PAGES) {
    const status = await ask('POST', '/v1/default/notify/refresh', { 'X-Requested-By': 'page', ...headers });
    expect([name, status === 403]).toEqual([name, !isOurs]);
  }
  expect((await simulator.requests()).length).toBe(seen + PAGES.filter(({ isOurs }) => isOurs).length);
});
