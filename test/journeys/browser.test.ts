import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { type IdentityProvider, startIdentityProvider } from '../session/oidc/identity-provider.ts';
import { startBrowser, type Witnessed, witness } from '../support/browser.ts';
import { eventually } from '../support/eventually.ts';
import { OWNER_KEY, startGateway, type TestGateway } from '../support/gateway.ts';
import { type SimulatorProcess, spawnSimulator } from '../support/simulator.ts';
import { startTlsFront, type TlsFront } from '../support/tls-front.ts';

const NAME = 'gateway.company.test';
const COOKIE = '__Host-mason-gateway';
/** Defines `attack(origin)`: everything that a page can try against another origin. */
const HOSTILE_PAGE = await readFile(new URL('../support/hostile-page.js', import.meta.url), 'utf8');
interface Outcome {
  readonly what: string;
  /** Whether the page got anything to read. */
  readonly read: boolean;
}
const CLIENT_SECRET = 'client-secret-0123456789';

let directory: string;
let simulator: SimulatorProcess;
let front: TlsFront;
let provider: IdentityProvider;
let gateway: TestGateway;
let browser: Browser;
let origin: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'browser-'));
  const clientSecretFile = join(directory, 'client-secret');
  await writeFile(clientSecretFile, `${CLIENT_SECRET}\n`, { mode: 0o600 });
  simulator = await spawnSimulator(['--key', `${OWNER_KEY}=account:owner`]);
  front = await startTlsFront();
  origin = front.origin(NAME);
  provider = await startIdentityProvider({ ada: { name: 'Ada', groups: ['leads', 'beta'] } }, () => [
    {
      clientId: 'gateway',
      clientSecret: CLIENT_SECRET,
      publicUrl: origin,
      // As in a company: the provider reaches the gateway by a way of its own.
      reachedAt: () => gateway.url,
    },
  ]);
  const rule = (is: string, role: string, team: string) => ({
    when: { claim: 'groups', is },
    role,
    teams: [team],
    scopes: ['account:owner'],
  });
  gateway = await startGateway({
    masonUrl: simulator.url,
    settings: {
      listen: { publicUrl: origin, trustedProxies: ['127.0.0.1'] },
      signIn: {
        providers: [
          {
            id: 'company',
            issuer: provider.issuer,
            clientId: 'gateway',
            clientSecretFile,
            scopes: ['openid', 'profile'],
            rules: [rule('leads', 'lead', 'alpha'), rule('beta', 'viewer', 'beta')],
          },
        ],
      },
    },
  });
  await gateway.administer('team.add', { slug: 'beta' });
  await gateway.administer('key.add', { team: 'beta', name: 'all', key: OWNER_KEY, scopes: ['account:owner'] });
  front.lead(NAME, gateway.port);
  browser = await startBrowser();
}, 60_000);

afterAll(async () => {
  await browser?.close();
  await gateway?.close();
  await provider?.[Symbol.asyncDispose]();
  await front?.[Symbol.asyncDispose]();
  await simulator?.close();
  await rm(directory, { recursive: true, force: true });
});

async function newContext(): Promise<BrowserContext> {
  return browser.newContext({ ignoreHTTPSErrors: true });
}

/** As a person does: asks for the page, chooses the account, agrees, and comes back. */
async function signIn(page: Page): Promise<void> {
  await page.goto(`${origin}/auth/login?returnTo=%2Fauth%2Faccount`);
  await page.click('button[value=ada]');
  const asksConsent = page.waitForSelector('button[value=Continue]').then((button) => button.click());
  await Promise.all([page.waitForURL(`${origin}/auth/account`), asksConsent]);
  await page.waitForSelector('#signed-in:not([hidden])');
}

/** Calls as a script of the page would; gives the status and what was said. */
function call(page: Page, path: string, team?: string, method = 'GET'): Promise<{ status: number; text: string }> {
  return page.evaluate(
    async ([path, team, method]) => {
      const headers = { 'X-Requested-By': 'page', ...(team === undefined ? {} : { 'Gateway-Team': team }) };
      const answer = await fetch(String(path), { headers, method: String(method) });
      return { status: answer.status, text: await answer.text() };
    },
    [path, team, method] as const,
  );
}

describe('Somebody signs in and works in a real browser', () => {
  let context: BrowserContext;
  let page: Page;
  let seen: Witnessed;

  beforeAll(async () => {
    context = await newContext();
    seen = witness(context);
    page = await context.newPage();
    await signIn(page);
  }, 60_000);
  afterAll(() => context?.close());

  test('The page shows who they are, their teams, and that this is where they are signed in', async () => {
    await page.waitForSelector('#sessions li');
    const text = await page.innerText('main');
    expect(text).toContain('Ada');
    expect(text).toContain('alpha');
    expect(text).toContain('This session');
  });

  test('The only thing that the browser keeps is one cookie, which no script can read', async () => {
    const cookies = (await context.cookies(origin)).filter(({ domain }) => domain.includes('company.test'));
    expect(cookies).toMatchObject([
      { name: COOKIE, domain: NAME, path: '/', secure: true, httpOnly: true, sameSite: 'Strict', expires: -1 },
    ]);
    const kept = await page.evaluate<unknown[]>('[document.cookie, localStorage.length, sessionStorage.length]');
    expect(kept).toEqual(['', 0, 0]);
  });

  test('It calls for two teams, with the role that it has in each', async () => {
    const listed = await call(page, '/v1/default/device?limit=2', 'alpha');
    expect([listed.status, (JSON.parse(listed.text) as { data: unknown[] }).data.length]).toEqual([200, 2]);
    expect((await call(page, '/v1/default/device?limit=1', 'beta')).status).toBe(200);
    const [device] = (JSON.parse(listed.text) as { data: { id: string }[] }).data;
    const refused = await call(page, '/v1/default/group/none', 'beta', 'DELETE');
    expect([refused.status, refused.text]).toEqual([403, expect.stringContaining('your role in team beta')]);
    expect((await call(page, `/v1/default/device/${device?.id}`)).status).toBe(400);
  });

  test('Signing out ends it here and at the provider', async () => {
    await page.click('#sign-out');
    await page.waitForURL(`${provider.issuer}/**`);
    await page.click('button[name=logout]');
    await page.waitForURL(`${origin}/auth/account`);
    await page.waitForSelector('#signed-out:not([hidden])');
    expect((await context.cookies(origin)).filter(({ name }) => name === COOKIE)).toEqual([]);
    expect((await call(page, '/v1/default/device?limit=1', 'alpha')).status).toBe(401);
  });

  test('Signing out at the provider ends it here, without the browser', async () => {
    await signInAgain(page);
    expect((await call(page, '/v1/default/device?limit=1', 'alpha')).status).toBe(200);
    const told = provider.logouts.length;
    const elsewhere = await context.newPage();
    await elsewhere.goto(`${provider.issuer}/session/end`);
    await elsewhere.click('button[name=logout]');
    await eventually('the provider told the gateway', () => provider.logouts.length > told);
    expect(provider.logouts.slice(told)).toEqual(['taken']);
    expect((await call(page, '/v1/default/device?limit=1', 'alpha')).status).toBe(401);
    expect((await gateway.record({ operation: 'session.end' })).length).toBeGreaterThan(0);
  });

  test('Nothing that it saw, kept, asked for or logged holds a key, a token, or the session’s id', async () => {
    await signInAgain(page);
    const cookie = (await context.cookies(origin)).find(({ name }) => name === COOKIE);
    const cookieId = decodeURIComponent(cookie?.value ?? '').slice(2);
    const secrets = [
      OWNER_KEY,
      CLIENT_SECRET,
      'mgw_',
      'eyJ',
      cookieId,
      encodeURIComponent(cookieId),
      cookieId.split('.')[0],
    ];
    const all = [...seen.urls, ...seen.console, ...seen.headers, ...seen.bodies, await page.content()].join('\n');
    expect(all).toContain('/v1/default/device');
    expect(cookieId.length).toBeGreaterThan(40);
    for (const secret of secrets) expect(all).not.toContain(secret);
  });
});

/** The provider asks for the account again after a logout, and remembers the consent. */
async function signInAgain(page: Page): Promise<void> {
  await page.goto(`${origin}/auth/login?returnTo=%2Fauth%2Faccount`);
  await page.click('button[value=ada]');
  await Promise.race([
    page.waitForURL(`${origin}/auth/account`),
    page.waitForSelector('button[value=Continue]').then((button) => button.click()),
  ]);
  await page.waitForURL(`${origin}/auth/account`);
  await page.waitForSelector('#signed-in:not([hidden])');
}

describe('Pages of others, in the browser of somebody who is signed in, reach nothing', () => {
  let context: BrowserContext;

  beforeAll(async () => {
    context = await newContext();
    await signInAgain(await context.newPage());
  }, 60_000);
  afterAll(() => context?.close());

  test.each([
    ['another site', 'evil.test'],
    ['a sibling subdomain', 'sibling.company.test'],
  ])('%s: forms, fetches in all modes, images, scripts, beacons, WebSockets', async (_, name) => {
    front.serve(name, (_req, res) => res.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><body>'));
    const before = (await simulator.requests(1_000)).length;
    const page = await context.newPage();
    await page.goto(`${front.origin(name)}/`);
    const outcomes = await page.evaluate<Outcome[]>(`${HOSTILE_PAGE}; attack(${JSON.stringify(origin)})`);
    expect(outcomes.filter(({ read }) => read)).toEqual([]);
    expect(outcomes.length).toBeGreaterThan(20);
    expect((await simulator.requests(1_000)).length).toBe(before);
    expect((await simulator.state()).effects).toEqual([]);
    await page.close();
  });
});
