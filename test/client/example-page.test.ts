import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import type { SessionTeam, SessionView } from '../../src/client/client.ts';
import { type RunningSimulator, startSimulator } from '../../src/simulator/start-simulator.ts';
import { type SimulatorControl, simulatorAt } from '../support/simulator.ts';
import { findProgram } from '../tools/find-program.ts';
import { CHROMIUM } from '../tools/tools.ts';
import { json } from './odd-gateway.ts';
import { type StubGateway, stubGateway } from './stub-gateway.ts';

const LEAD: SessionTeam = {
  id: 'team_1',
  slug: 'demo',
  roles: ['lead'],
  calls: { scopes: ['account:owner'], effects: 'destructive' },
  manages: true,
  audits: true,
  status: null,
};
const VIEWER: SessionTeam = {
  ...LEAD,
  id: 'team_2',
  slug: 'shops',
  calls: { scopes: ['fleet:read'], effects: 'read' },
};

const signedIn = (...teams: SessionTeam[]): SessionView => ({
  kind: 'person',
  person: { id: 'per_1', name: 'Ada' },
  session: 'ses_1',
  secondsLeft: 1_800,
  operates: false,
  teams,
});

let simulator: RunningSimulator;
let control: SimulatorControl;
let gateway: StubGateway;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let complaints: string[];

beforeAll(async () => {
  simulator = await startSimulator({ devices: 30 });
  control = simulatorAt(simulator.url);
  gateway = await stubGateway(simulator.url, simulator.url, 'demo-owner-key');
  simulator.showGateway(gateway.url);
  browser = await chromium.launch({ executablePath: findProgram(CHROMIUM) as string, args: ['--no-sandbox'] });
}, 60_000);
afterAll(async () => {
  await browser?.close();
  await gateway[Symbol.asyncDispose]();
  await simulator.close();
});
beforeEach(async () => {
  await control.reset();
  gateway.session = undefined;
  gateway.refusals.length = 0;
  complaints = [];
  context = await browser.newContext();
  page = await context.newPage();
  page.setDefaultTimeout(10_000);
  page.on('pageerror', ({ message }) => complaints.push(message));
  page.on('console', (message) => {
    // What a page cannot help: the browser notes each answer that is an error.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      complaints.push(message.text());
  });
});
afterEach(async () => {
  await context.close();
  expect(complaints).toEqual([]);
});

const open = () => page.goto(`${simulator.url}/example/`);
const cards = () => page.locator('#devices li');
const button = (name: string) => page.getByRole('button', { name, exact: true });

describe('the example frontend', () => {
  test('It leads to the gateway to sign in, and looks again when one comes back', async () => {
    await open();
    await page.getByRole('heading', { name: 'You are not signed in' }).waitFor();
    const [opened] = await Promise.all([
      context.waitForEvent('page'),
      page.getByRole('link', { name: 'Sign in at the gateway' }).click(),
    ]);
    await opened.getByText('Sign in here').waitFor();
    expect(opened.url()).toBe(`${gateway.url}/auth/account`);
    gateway.session = signedIn(LEAD);
    await opened.close();
    // Headless, no window ever loses or gains the focus.
    await page.evaluate('dispatchEvent(new Event("focus"))');
    await cards().first().waitFor();
    expect(await page.getByText('Ada', { exact: true }).isVisible()).toBe(true);
    const looks = gateway.heard.filter(({ url }) => url.startsWith('/auth/session'));
    expect(looks.length).toBeGreaterThan(1);
    expect(new Set(looks.map(({ url }) => url))).toEqual(new Set(['/auth/session?slide=false']));
  });

  test('It shows the fleet page by page, there and back, and what is left of the budget', async () => {
    gateway.session = signedIn(LEAD);
    await open();
    const names = page.locator('#devices h3');
    const first = await names.first().textContent();
    expect(await names.allTextContents()).toHaveLength(12);
    expect(await button('Previous').isDisabled()).toBe(true);
    for (const number of [13, 25]) {
      await button('Next').click();
      await names
        .first()
        .filter({ hasText: `-00${number}` })
        .waitFor();
    }
    expect(await names.allTextContents()).toHaveLength(6);
    expect(await button('Next').isDisabled()).toBe(true);
    expect(await page.locator(':focus').textContent()).toBe('Fleet');
    for (const number of [13, '01']) {
      await button('Previous').click();
      await names
        .first()
        .filter({ hasText: `-00${number}` })
        .waitFor();
    }
    expect(await names.first().textContent()).toBe(first);
    expect(await page.getByText('your share is 50 calls in a second; 49 could go at once').isVisible()).toBe(true);
  });

  test('It renames one, by keyboard alone, and a name that looks like HTML is a name', async () => {
    gateway.session = signedIn(LEAD);
    await open();
    const name = (await cards().first().locator('h3').textContent()) as string;
    await button(`Rename ${name}`).press('Enter');
    const field = page.getByLabel('New name of');
    expect(await field.inputValue()).toBe(name);
    await field.fill('<img src=x onerror=alert(1)>');
    await field.press('Enter');
    await page.getByText('is now <img').waitFor();
    expect(await page.locator(':focus').getAttribute('aria-label')).toBe('Rename <img src=x onerror=alert(1)>');
    expect((await control.state()).effects.map(({ what }) => what)).toEqual(['rename']);
  });

  test('It reboots one when that is confirmed, and not before', async () => {
    gateway.session = signedIn(LEAD);
    await open();
    const name = (await cards().first().locator('h3').textContent()) as string;
    const dialog = page.getByRole('dialog', { name: 'Reboot?' });
    const ends = [
      () => page.keyboard.press('Escape'),
      () => dialog.getByRole('button', { name: 'Cancel' }).press('Enter'),
    ];
    for (const end of ends) {
      await button(`Reboot ${name}`).click();
      await end();
      await dialog.waitFor({ state: 'hidden' });
    }
    expect((await control.state()).effects).toEqual([]);
    await button(`Reboot ${name}`).click();
    await dialog.getByRole('button', { name: 'Reboot' }).click();
    await page.getByText(`${name} restarts.`).waitFor();
    expect((await control.state()).effects.map(({ what }) => what)).toEqual(['reboot']);
  });

  test('It says what went wrong in words: who says so, how long to wait, which request', async () => {
    gateway.session = signedIn(LEAD);
    await open();
    await cards().first().waitFor();
    gateway.refusals.push((res) =>
      json(res, { type: 'rate_limit_error', message: 'the line is full' }, 429, {
        'retry-after': '7',
        'request-id': 'id-7',
        'error-source': 'gateway',
      }),
    );
    await button('Next').click();
    const alert = page.getByRole('alert');
    await alert.getByText('The gateway says: the line is full').waitFor();
    expect(await alert.textContent()).toContain('Try again in 7 seconds.');
    expect(await alert.textContent()).toContain('Request id-7');
    await button('Next').click();
    await page.locator('#devices h3').first().filter({ hasText: '-0013' }).waitFor();
    expect(await alert.textContent()).toBe('');
  });

  test('Who may only look is given no buttons to do more, and each call names the team that was chosen', async () => {
    gateway.session = signedIn(LEAD, VIEWER);
    await open();
    await cards().first().getByRole('button').first().waitFor();
    await page.getByLabel('Team').selectOption('shops');
    await cards().first().getByRole('button').first().waitFor({ state: 'hidden' });
    await cards().first().waitFor();
    expect(await cards().getByRole('button').count()).toBe(0);
    const teams = gateway.heard
      .filter(({ url }) => url.startsWith('/v1/'))
      .map(({ headers }) => headers['gateway-team']);
    expect(teams.slice(-2)).toEqual(['demo', 'shops']);
  });

  test('A session that ended, and one that is ended here, leave no devices to be seen', async () => {
    gateway.session = signedIn(LEAD);
    await open();
    await cards().first().waitFor();
    gateway.session = undefined;
    await button('Next').click();
    await page.getByRole('heading', { name: 'You are not signed in' }).waitFor();
    expect(await cards().first().isVisible()).toBe(false);
    gateway.session = signedIn(LEAD);
    await button('Look again').click();
    await cards().first().waitFor();
    await button('Sign out').click();
    await page.getByRole('heading', { name: 'You are not signed in' }).waitFor();
    expect(gateway.session).toBeUndefined();
  });

  test('Under another name of this machine, where the cookie would not come along, it says which to take', async () => {
    const here = new URL(simulator.url);
    await page.goto(`http://localhost:${here.port}/example/`);
    const link = page.getByRole('alert').getByRole('link');
    expect(await link.getAttribute('href')).toBe(`${simulator.url}/example/`);
  });

  test('On a phone nothing is wider than the screen', async () => {
    gateway.session = signedIn(LEAD, VIEWER);
    await page.setViewportSize({ width: 320, height: 640 });
    await open();
    await cards().first().waitFor();
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(320);
  });
});
