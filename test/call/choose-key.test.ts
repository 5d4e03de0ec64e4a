import { describe, expect, test } from '@jest/globals';
import { chooseKey, keyNow, otherKey } from '../../src/call/choose-key.ts';
import type { Verdicts } from '../../src/call/verdicts.ts';
import type { Caller } from '../../src/domain/caller.ts';
import type { OpenedKey } from '../../src/domain/mason-key.ts';
import type { Operation } from '../../src/domain/operation.ts';
import { Secret } from '../../src/domain/secret.ts';
import { OPERATIONS } from '../../src/mason/operations.ts';

const key = (id: string, ...scopes: string[]): OpenedKey => ({
  id,
  scopes,
  fingerprint: id,
  budgetId: 'budget',
  secret: new Secret(id),
});

const caller = { team: { id: 'team', slug: 'alpha' } } as Caller;
const having = (keys: readonly OpenedKey[]): Verdicts => ({ teamKeys: async () => keys }) as unknown as Verdicts;
const operation = (id: string): Operation => OPERATIONS.find((each) => each.id === id) as Operation;
const chosen = async (keys: readonly OpenedKey[], id: string): Promise<string> =>
  (await chooseKey(having(keys), caller, operation(id))).id;

describe('choosing a key', () => {
  const owner = key('owner', 'account:owner');
  const admin = key('admin', 'fleet:admin');
  const manager = key('manager', 'fleet:manager');
  const reader = key('reader', 'fleet:read');
  const rebooter = key('rebooter', 'notify:reboot');
  const mixed = key('mixed', 'fleet:read', 'user:read');

  test.each([
    ['device.list', 'reader'],
    ['device.rename', 'manager'],
    ['group.create', 'admin'],
    ['device.locate', 'admin'],
    ['notify.reboot', 'rebooter'],
    ['notify.wipe', 'admin'],
    ['user.list', 'mixed'],
    ['subscription.get', 'owner'],
  ])('%s goes with the key that may least: %s', async (id, expected) => {
    const keys = [owner, admin, mixed, manager, rebooter, reader];
    expect(await chosen(keys, id)).toBe(expected);
    expect(await chosen(keys.toReversed(), id)).toBe(expected);
  });

  test('Between keys that may the same, the first of the team', async () => {
    expect(await chosen([key('a', 'fleet:read'), key('b', 'FLEET:READ')], 'device.list')).toBe('a');
  });

  test('When the keys of a team change, so does the choice', async () => {
    const before = [owner];
    expect(await chosen(before, 'device.list')).toBe('owner');
    expect(await chosen(before, 'device.list')).toBe('owner');
    expect(await chosen([owner, reader], 'device.list')).toBe('reader');
  });

  test('No key that may: the refusal names what is needed and what the team has, and no secret', async () => {
    const refusal = chooseKey(having([reader, rebooter]), caller, operation('group.create'));
    await expect(refusal).rejects.toMatchObject({
      code: 'no_key',
      message:
        'no Mason key of team alpha has the scope fleet:admin that group.create needs; the team has fleet:read, notify:reboot',
    });
    await expect(chooseKey(having([]), caller, operation('device.list'))).rejects.toThrow('no key at all');
  });

  test('A key that was removed after it was chosen is noticed', async () => {
    await expect(keyNow(having([owner, reader]), caller, reader)).resolves.toBe(reader);
    await expect(keyNow(having([owner]), caller, reader)).rejects.toMatchObject({ code: 'no_key' });
  });

  describe('when Mason does not take the key', () => {
    const before = { fingerprint: 'before', secret: new Secret('before') };
    const rotated: OpenedKey = { ...reader, fingerprint: 'after', secret: new Secret('after'), previous: before };

    test('the one that it was rotated to meanwhile goes in its place', async () => {
      await expect(otherKey(having([owner, rotated]), caller, { ...reader, fingerprint: 'before' })).resolves.toBe(
        rotated,
      );
    });

    test('the one before the rotation goes in its place, and has none before it', async () => {
      const other = await otherKey(having([owner, rotated]), caller, rotated);
      expect(other).toMatchObject({ id: 'reader', ...before, previous: undefined });
      expect(await otherKey(having([owner, rotated]), caller, rotated)).toBe(other);
    });

    test('there is none when it was never rotated', async () => {
      await expect(otherKey(having([owner, reader]), caller, reader)).resolves.toBeUndefined();
    });
  });
});
