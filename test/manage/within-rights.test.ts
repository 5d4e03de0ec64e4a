import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Administrator } from '../../src/domain/authority.ts';
import { EFFECTS, type Effect, isWithin } from '../../src/domain/effect.ts';
import { covers, MASON_SCOPES } from '../../src/mason/scopes.ts';
import { type Management, OPERATOR, openManagement } from './management.ts';
import { leadOf, somebody, teamId } from './people-of-teams.ts';

let m: Management;
let alpha: string;

beforeEach(async () => {
  m = await openManagement();
  for (const team of ['alpha', 'beta']) {
    await m.acts['team.add'](OPERATOR, { slug: team });
    await m.acts['app.add'](OPERATOR, { team, name: 'app' });
  }
  alpha = await teamId(m, 'alpha');
});

afterEach(async () => {
  await m.close();
});

const create = (by: Administrator, scopes: readonly string[], effects: Effect = 'read') =>
  m.acts['token.create'](by, { team: 'alpha', app: 'app', scopes, effects });

const clerk = (): Administrator =>
  leadOf(alpha, { scopes: ['fleet:manager', 'notify:reboot'], effectCeiling: 'disruptive' });

describe('nobody makes a token that may do more than they may', () => {
  test('within the own scopes and effects it is made', async () => {
    const made = await create(clerk(), ['fleet:read', 'notify:reboot', 'gateway:usage', 'gateway:audit'], 'disruptive');
    expect(made.scopes).toEqual(['fleet:read', 'notify:reboot', 'gateway:usage', 'gateway:audit']);
  });

  test('beyond them it is refused, with what is too much and what is held', async () => {
    await expect(create(clerk(), ['fleet:read', 'fleet:locate', 'account:owner'], 'destructive')).rejects.toMatchObject(
      {
        code: 'forbidden',
        message:
          'a token may hold at most what its maker holds for the team alpha: got fleet:locate, account:owner, effects up to ' +
          'destructive; held: fleet:manager, notify:reboot, effects up to disruptive, the record',
      },
    );
    expect((await m.acts['token.list'](OPERATOR)).data).toEqual([]);
  });

  test('a token that manages may make another that does, but never one that reads a record it may not read', async () => {
    const rights = { scopes: ['fleet:read'], effectCeiling: 'read' } as const;
    const admin = somebody({ manages: new Map([[alpha, rights]]) });
    expect((await create(admin, ['gateway:admin', 'gateway:usage', 'fleet:read'])).scopes).toHaveLength(3);
    await expect(create(admin, ['gateway:audit'])).rejects.toMatchObject({ code: 'forbidden' });
  });

  test('a stronger token is no way up: its new secret is not theirs to make, its end is', async () => {
    const strong = await create(OPERATOR, ['account:owner'], 'destructive');
    await expect(m.acts['token.rotate'](clerk(), { id: strong.id })).rejects.toMatchObject({ code: 'forbidden' });
    expect(await m.acts['token.revoke'](clerk(), { id: strong.id })).toMatchObject({ state: 'revoked' });
  });

  test('a leaked token of another team is unknown to a lead, and goes on', async () => {
    const { token, id } = await m.acts['token.create'](OPERATOR, { team: 'beta', app: 'app', scopes: ['fleet:read'] });
    expect((await m.acts['token.revoke_leaked'](clerk(), { tokens: [token] })).data).toEqual([{ result: 'unknown' }]);
    expect((await m.store.tokens.findById(id))?.revokedAt).toBeUndefined();
  });

  test('a token bound to addresses and an urgency makes no token that is free of them', async () => {
    const maker = await m.acts['token.create'](OPERATOR, {
      team: 'alpha',
      app: 'app',
      scopes: ['gateway:admin'],
      from: ['10.1.0.0/16', '2001:db8::/32'],
      urgency: 3,
    });
    const rights = { scopes: ['fleet:read'], effectCeiling: 'read' } as const;
    const by: Administrator = {
      actor: { kind: 'app', tokenId: maker.id },
      authority: { operates: false, manages: new Map([[alpha, rights]]), audits: new Set() },
    };
    const make = (more: object) =>
      m.acts['token.create'](by, { team: 'alpha', app: 'app', scopes: ['fleet:read'], effects: 'read', ...more });
    await expect(make({ urgency: 2 })).rejects.toMatchObject({
      code: 'forbidden',
      message:
        'a token may hold at most what its maker holds for the team alpha: got urgency 2, any address; held: fleet:read, effects ' +
        'up to read, urgency from 3, addresses 10.1.0.0/16, 2001:db8::/32',
    });
    for (const range of ['10.0.0.0/8', '10.2.0.0/16', '::/0', '2001:db9::/32', '10.1.0.0/15', '0.0.0.0/0']) {
      await expect(make({ urgency: 3, from: ['10.1.2.3', range] })).rejects.toMatchObject({
        message: expect.stringContaining(`got ${range};`),
      });
    }
    const made = await make({ urgency: 4, from: ['10.1.2.3', '10.1.0.0/16', '2001:db8:1::/48'] });
    expect(await m.acts['token.rotate'](by, { id: made.id })).toMatchObject({ id: made.id, urgency: 4 });
    const free = await m.acts['token.create'](OPERATOR, {
      team: 'alpha',
      app: 'app',
      scopes: ['fleet:read'],
      effects: 'read',
    });
    await expect(m.acts['token.rotate'](by, { id: free.id })).rejects.toMatchObject({ code: 'forbidden' });
  });

  test('with whatever rights, whatever is asked: what is made lies within them', async () => {
    const scopes = fc.uniqueArray(fc.constantFrom(...MASON_SCOPES), { minLength: 1, maxLength: 4 });
    const effect = fc.constantFrom(...EFFECTS);
    await fc.assert(
      fc.asyncProperty(scopes, effect, scopes, effect, async (held, ceiling, asked, effects) => {
        const by = leadOf(alpha, { scopes: held, effectCeiling: ceiling });
        const isWithinRights = asked.every((scope) => covers(held, scope)) && isWithin(effects, ceiling);
        const code = await create(by, asked, effects).then(
          () => 'made',
          (error: { code: string }) => error.code,
        );
        expect(code).toBe(isWithinRights ? 'made' : 'forbidden');
      }),
      { numRuns: 60 },
    );
  });
});
