import type { IncomingMessage } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type WhoAmI, whoAmI } from '../../src/admin/who-am-i.ts';
import type { TeamStatus } from '../../src/call/team-status.ts';
import { type Caller, openPublicDoor, type PublicDoor } from './public-door.ts';

let door: PublicDoor;
let asked: unknown[];

beforeEach(async () => {
  door = await openPublicDoor(3);
  asked = [];
});

afterEach(async () => {
  await door[Symbol.asyncDispose]();
});

const BUDGET = { name: 'acme-main', limit: '50/1s', windowMs: 1_000, callsMax: 25, callsLeft: 25, waiting: 0 };

function ask(headers: Caller): Promise<WhoAmI> {
  const teamStatus = async (teamId: string, share: object): Promise<TeamStatus> => {
    asked.push(share);
    return { teamId, keys: [{ name: 'main', scopes: [], budget: 'acme-main', health: 'unused' }], budgets: [BUDGET] };
  };
  const req = { headers, socket: { remoteAddress: '192.0.2.7' } } as unknown as IncomingMessage;
  return whoAmI({ ...door.rooms, teamStatus })(req);
}

describe('who am I, for tokens', () => {
  test('a token learns what it is, what it may, until when, and its share of the line; no secret, no scope needed', async () => {
    const token = await door.token('acme', ['fleet:read'], { expires: '1h', urgency: 2, from: ['192.0.2.0/24'] });
    expect(await ask(token)).toEqual({
      kind: 'app',
      team: 'acme',
      app: 'robot',
      tokenId: expect.stringMatching(/^tok_/),
      scopes: ['fleet:read'],
      effects: 'change',
      from: ['192.0.2.0/24'],
      urgency: 2,
      expiresAt: '2026-11-23T11:00:00.000Z',
      secondsLeft: 3_600,
      budgets: [BUDGET],
    });
    expect(asked).toEqual([{ id: expect.stringMatching(/^app_/), weight: 1 }]);
    const answer = JSON.stringify(await ask(token));
    expect(answer).not.toContain(token['authorization']?.slice(-20));
    expect(answer).not.toMatch(/digest|mgw_/);
  });

  test('the old secret of a rotated token learns when its grace ends', async () => {
    const token = await door.token('acme', ['gateway:admin'], { expires: '10d' });
    const { tokenId } = await ask(token);
    const rotated = await door.ask(token, 'POST', `/admin/v1/tokens/${tokenId}/rotate`, { grace: '1m', expires: '1h' });
    expect((await ask(token)).secondsLeft).toBe(60);
    expect((await ask({ authorization: `basic ${rotated.body.token}` })).secondsLeft).toBe(3_600);
  });

  test('the rules of a call hold: addresses, revocation, and a bound on bad tries', async () => {
    const elsewhere = await door.token('acme', ['fleet:read'], { from: ['10.0.0.0/8'] });
    await expect(ask(elsewhere)).rejects.toMatchObject({ code: 'forbidden' });
    const token = await door.token('acme', ['gateway:admin']);
    const { tokenId } = await ask(token);
    await door.ask(token, 'POST', `/admin/v1/tokens/${tokenId}/revoke`);
    await expect(ask(token)).rejects.toMatchObject({ code: 'unauthenticated' });
    await expect(ask({})).rejects.toMatchObject({
      code: 'unauthenticated',
      message: expect.stringContaining('/auth/session'),
    });
    const guess = { authorization: 'Bearer mgw_guess' };
    await expect(ask(guess)).rejects.toMatchObject({ code: 'unauthenticated' });
    await expect(ask(guess)).rejects.toMatchObject({ code: 'unauthenticated' });
    await expect(ask(guess)).rejects.toMatchObject({ code: 'too_many_tries' });
  });
});
