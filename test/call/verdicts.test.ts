import { describe, expect, test } from '@jest/globals';
import { checkGrant } from '../../src/call/token-credential.ts';
import { Verdicts } from '../../src/call/verdicts.ts';
import type { Token, TokenGrant } from '../../src/domain/token.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const token: Token = {
  id: 'tok_1',
  appId: 'app',
  teamId: 'team',
  digest: 'new',
  graceDigest: 'old',
  graceUntil: 5_000,
  scopes: ['fleet:read'],
  effectCeiling: 'change',
  addressRanges: [],
  urgencyMin: 0,
  createdAt: 0,
  expiresAt: 10_000,
  revokedAt: undefined,
  lastUsedAt: undefined,
};

const found: TokenGrant = { token, app: { id: 'app', name: 'app', weight: 1 }, team: { id: 'team', slug: 'alpha' } };

/** A store that counts what it is asked, and that can be away. */
class FakeStore {
  away = false;
  revisionNow = 1;
  asked = 0;
  readonly touched: [string, number][] = [];

  readonly tokens = {
    findGrant: async (digest: string): Promise<TokenGrant | undefined> => {
      this.#answer();
      this.asked++;
      return digest === 'stranger' ? undefined : found;
    },
    touch: async (uses: ReadonlyMap<string, number>): Promise<void> => {
      this.#answer();
      this.touched.push(...uses);
    },
  };
  readonly people = { findById: async () => undefined };
  readonly teams = { list: async () => [] };
  readonly keys = { listByTeam: async () => [], touch: async () => {} };
  revision = async (): Promise<number> => {
    this.#answer();
    return this.revisionNow;
  };
  openKey = async (): Promise<undefined> => undefined;

  #answer(): void {
    if (this.away) throw new Error('the store is away');
  }
}

const open = async (): Promise<{ clock: VirtualClock; store: FakeStore; verdicts: Verdicts }> => {
  const clock = new VirtualClock();
  const store = new FakeStore();
  const verdicts = new Verdicts(store, clock, { staleMs: 60_000 });
  await verdicts.refresh();
  return { clock, store, verdicts };
};

const grantOf = async (verdicts: Verdicts, digest: string) => await verdicts.grant(digest);

describe('verdicts', () => {
  test('The store is asked once for a token, by however many calls at once, until it changes', async () => {
    const { clock, store, verdicts } = await open();
    await Promise.all([verdicts.grant('new'), verdicts.grant('new')]);
    await clock.advance(10_000);
    // Known: nothing to wait for.
    expect(verdicts.grant('new')).toMatchObject({ caller: { tokenId: 'tok_1' } });
    expect(store.asked).toBe(1);
    store.revisionNow++;
    await clock.advance(500);
    await verdicts.grant('new');
    expect(store.asked).toBe(2);
  });

  test('A change is heard of within half a second, by everybody who listens, once', async () => {
    const { clock, store, verdicts } = await open();
    let heard = 0;
    verdicts.onChange(() => heard++);
    await clock.advance(2_000);
    expect(heard).toBe(0);
    store.revisionNow++;
    await clock.advance(500);
    expect(heard).toBe(1);
    await clock.advance(5_000);
    expect(heard).toBe(1);
  });

  test('Strangers are not remembered: they could fill the memory with what they make up', async () => {
    const { store, verdicts } = await open();
    await verdicts.grant('stranger');
    await verdicts.grant('stranger');
    expect(store.asked).toBe(2);
  });

  test('While the store is away: remembered tokens serve reads for a minute, changes stop at once, then all stops', async () => {
    const { clock, store, verdicts } = await open();
    await verdicts.grant('new');
    store.away = true;
    await clock.advance(1_900);
    expect(verdicts.fresh).toBe(true);
    await clock.advance(600);
    expect(verdicts.fresh).toBe(false);
    await expect(grantOf(verdicts, 'new')).resolves.toBeDefined();
    await expect(grantOf(verdicts, 'other')).rejects.toThrow('the store is away');
    await clock.advance(60_000);
    await expect(grantOf(verdicts, 'new')).rejects.toMatchObject({ code: 'store_unavailable' });
    store.away = false;
    await clock.advance(500);
    expect(verdicts.fresh).toBe(true);
    await expect(grantOf(verdicts, 'new')).resolves.toBeDefined();
  });

  test('What failed is not remembered', async () => {
    const { clock, store, verdicts } = await open();
    store.away = true;
    await expect(grantOf(verdicts, 'new')).rejects.toThrow();
    store.away = false;
    await clock.advance(0);
    await expect(grantOf(verdicts, 'new')).resolves.toBeDefined();
  });

  test('Uses are written down in bulk, and at the end', async () => {
    const { clock, store, verdicts } = await open();
    verdicts.noteTokenUse('tok_1', 1);
    verdicts.noteTokenUse('tok_1', 2);
    await clock.advance(5_000);
    expect(store.touched).toEqual([]);
    await clock.advance(6_000);
    expect(store.touched).toEqual([['tok_1', 2]]);
    verdicts.noteTokenUse('tok_2', 3);
    await verdicts[Symbol.asyncDispose]();
    expect(store.touched).toEqual([
      ['tok_1', 2],
      ['tok_2', 3],
    ]);
  });
});

describe('whether a grant holds', () => {
  const check = async (
    digest: string,
    now: number,
    more: Partial<Token> = {},
    address = '127.0.0.1',
  ): Promise<string> => {
    const store = new FakeStore();
    store.tokens.findGrant = async () => ({ ...found, token: { ...token, ...more } });
    const verdicts = new Verdicts(store, new VirtualClock(), { staleMs: 0 });
    try {
      checkGrant(await verdicts.grant(digest), digest, address, now);
      return 'holds';
    } catch (error) {
      return (error as Error).message;
    }
  };

  test.each([
    ['new', 9_999, 'holds'],
    ['new', 10_000, 'the gateway token has expired'],
    ['old', 4_999, 'holds'],
    ['old', 5_000, 'the gateway token was replaced by a newer one'],
  ])('The %s secret at %s ms: %s', async (digest, now, expected) => {
    expect(await check(digest, now)).toBe(expected);
  });

  test('A grace never outlives the expiry, a revocation ends both, and an old secret without grace is over', async () => {
    expect(await check('old', 10_000, { graceUntil: 99_999 })).toContain('replaced');
    for (const digest of ['new', 'old'])
      expect(await check(digest, 1, { revokedAt: 1 })).toBe('the gateway token was revoked');
    expect(await check('old', 1, { graceUntil: undefined })).toContain('replaced');
  });

  test('Addresses: ranges of both families, IPv4 in IPv6 clothes, and none that cannot be read', async () => {
    const ranges = { addressRanges: ['10.0.0.0/8', '2001:db8::/32'] };
    for (const address of ['10.255.0.1', '::ffff:10.0.0.1', '2001:db8::1'])
      expect(await check('new', 1, ranges, address)).toBe('holds');
    for (const address of ['11.0.0.1', '2001:db9::1', '', 'unknown', '::1']) {
      expect(await check('new', 1, ranges, address)).toContain('may be used from 10.0.0.0/8, 2001:db8::/32');
    }
  });
});
