import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ProviderSettings } from '../../../src/session/oidc/identity-provider.ts';
import { type FakeProvider, startFakeProvider } from './fake-provider.ts';
import { reserveOrigin, startSignInBench } from './sign-in-bench.ts';

describe('Where signing in begins', () => {
  let fake: FakeProvider;
  const settings = (id: string, name?: string): ProviderSettings => ({
    id,
    name,
    issuer: fake.issuer,
    clientId: id,
    scopes: [],
    rules: [],
  });

  beforeAll(async () => {
    fake = await startFakeProvider();
  });
  afterAll(async () => {
    await fake[Symbol.asyncDispose]();
  });

  test('with several, a page of plain links asks which; it runs nothing and loads nothing', async () => {
    await using bench = await startSignInBench(await reserveOrigin(), [
      settings('one', '"><script>alert(1)</script>'),
      settings('two'),
    ]);
    const page = await fetch(`${bench.publicUrl}/auth/login?returnTo=${encodeURIComponent('/a?b="c"&d')}`);
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(page.headers.get('content-security-policy')).toMatch(/^default-src 'none';style-src 'self';/);
    expect(page.headers.getSetCookie()).toEqual([]);
    const html = await page.text();
    expect(html).not.toMatch(/<script|<style|<img|<form|src=|style=/);
    const links = [...html.matchAll(/<a class="button" href="([^"]+)"/g)].map(([, href = '']) =>
      href.replaceAll('&#38;', '&'),
    );
    expect(links.map((href) => Object.fromEntries(new URL(href, bench.publicUrl).searchParams))).toEqual([
      { provider: 'one', returnTo: '/a?b=%22c%22&d' },
      { provider: 'two', returnTo: '/a?b=%22c%22&d' },
    ]);
    expect(fake.asked).toEqual([]);
    const chosen = await fetch(new URL(links[1] ?? '', bench.publicUrl), { redirect: 'manual' });
    expect(chosen.status).toBe(303);
    expect(new URL(chosen.headers.get('location') ?? '').searchParams.get('client_id')).toBe('two');
  });

  test('one that is not there is named by what is there', async () => {
    await using bench = await startSignInBench(await reserveOrigin(), [settings('one')]);
    const answer = await fetch(`${bench.publicUrl}/auth/login?provider=${encodeURIComponent('<b>')}`);
    expect(answer.status).toBe(404);
    expect(await answer.json()).toEqual({ type: 'not_found_error', message: expect.stringMatching(/there are one$/) });
  });

  test('A1: over https the cookie of a sign-in is bound to this host', async () => {
    const { server, publicUrl } = await reserveOrigin();
    await using _bench = await startSignInBench({ server, publicUrl: 'https://gateway.example.com' }, [
      settings('one'),
    ]);
    const begun = await fetch(`${publicUrl}/auth/login`, { redirect: 'manual' });
    expect(new URL(begun.headers.get('location') ?? '').searchParams.get('redirect_uri')).toBe(
      'https://gateway.example.com/auth/callback',
    );
    expect(begun.headers.getSetCookie()).toEqual([
      expect.stringMatching(
        /^__Host-mgw-flow-[0-9a-f]{8}=[\w-]+; Max-Age=600; Path=\/; HttpOnly; SameSite=Lax; Secure$/,
      ),
    ]);
  });

  test('a cookie that does not open is cleared, and disturbs nothing', async () => {
    await using bench = await startSignInBench(await reserveOrigin(), [settings('one')]);
    const begun = await fetch(`${bench.publicUrl}/auth/login`, {
      redirect: 'manual',
      headers: { cookie: 'a=b; mgw-flow-00000000=AQID; mgw-flow-=; mgw-flow-x; other' },
    });
    expect(begun.status).toBe(303);
    const lines = begun.headers.getSetCookie();
    expect(lines.slice(0, -1).map((line) => line.replace(/; Path.*/, ''))).toEqual([
      'mgw-flow-00000000=; Max-Age=0',
      'mgw-flow-=; Max-Age=0',
      'mgw-flow-x=; Max-Age=0',
    ]);
    expect(lines).toHaveLength(4);
  });

  test.each(['/auth/login', '/auth/callback'])('C5: looking at %s begins and ends nothing', async (path) => {
    await using bench = await startSignInBench(await reserveOrigin(), [settings('one')]);
    const answer = await fetch(`${bench.publicUrl}${path}`, { method: 'HEAD' });
    expect([answer.status, answer.headers.get('allow'), answer.headers.getSetCookie()]).toEqual([405, 'GET', []]);
  });
});
