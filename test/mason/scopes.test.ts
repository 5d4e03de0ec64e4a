import { describe, expect, test } from '@jest/globals';
import { covers, isKnownScope, MASON_SCOPES, power } from '../../src/mason/scopes.ts';

/** What each scope includes besides itself, written out by hand from Mason's documentation: not derived from our tree. */
const INCLUDES: Readonly<Record<string, readonly string[]>> = {
  'fleet:manager': ['fleet:deploy', 'fleet:move', 'fleet:read'],
  'notify:all': [
    'notify:refresh',
    'notify:check',
    'notify:reboot',
    'notify:shutdown',
    'notify:wipe',
    'notify:application',
    'notify:refurbish',
  ],
  'fleet:admin': [
    'fleet:manager',
    'fleet:deploy',
    'fleet:move',
    'fleet:read',
    'fleet:locate',
    'notify:all',
    'notify:refresh',
    'notify:check',
    'notify:reboot',
    'notify:shutdown',
    'notify:wipe',
    'notify:application',
    'notify:refurbish',
  ],
  'user:admin': ['user:read'],
  'registry:admin': ['registry:read'],
  'connect:admin': ['connect:read'],
};

const ALL = [
  'account:owner',
  'fleet:admin',
  'fleet:manager',
  'fleet:deploy',
  'fleet:move',
  'fleet:read',
  'fleet:locate',
  'notify:all',
  'notify:refresh',
  'notify:check',
  'notify:reboot',
  'notify:shutdown',
  'notify:wipe',
  'notify:application',
  'notify:refurbish',
  'xray:admin',
  'user:admin',
  'user:read',
  'registry:admin',
  'registry:read',
  'connect:admin',
  'connect:read',
];

describe('scopes', () => {
  test('Each documented scope is known, and no other', () => {
    expect([...MASON_SCOPES].toSorted()).toEqual(ALL.toSorted());
    expect(ALL.every(isKnownScope)).toBe(true);
    expect(isKnownScope('fleet:write')).toBe(false);
    expect(isKnownScope('__proto__')).toBe(false);
  });

  test('A scope gives what the documentation says it includes and nothing else, for all 484 pairs', () => {
    const wrong: string[] = [];
    for (const held of ALL) {
      for (const needed of ALL) {
        const expected = held === needed || held === 'account:owner' || (INCLUDES[held]?.includes(needed) ?? false);
        if (covers([held], needed) !== expected) wrong.push(`${held} -> ${needed}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  test('Managing or reading the fleet does not tell where devices are', () => {
    expect(covers(['fleet:manager', 'fleet:read'], 'fleet:locate')).toBe(false);
    expect(covers(['fleet:admin'], 'fleet:locate')).toBe(true);
  });

  test('A child never gives its parent, and siblings nothing to each other', () => {
    expect(covers(['notify:reboot', 'notify:shutdown'], 'notify:wipe')).toBe(false);
    expect(covers(['notify:wipe'], 'notify:all')).toBe(false);
    expect(covers(['user:admin'], 'fleet:read')).toBe(false);
  });

  test('Case does not matter, on either side', () => {
    expect(covers(['Fleet:ADMIN'], 'NOTIFY:reboot')).toBe(true);
    expect(covers(['fleet:read'], 'Fleet:Read')).toBe(true);
    expect(isKnownScope('Account:Owner')).toBe(true);
  });

  test('A scope that the tree lacks covers itself only; nothing held covers nothing', () => {
    expect(covers(['robot:dance'], 'robot:dance')).toBe(true);
    expect(covers(['account:owner'], 'robot:dance')).toBe(false);
    expect(covers(['robot:dance'], 'fleet:read')).toBe(false);
    expect(covers([], 'fleet:read')).toBe(false);
  });

  test('Power counts what a set allows: a superset is never weaker, and doubles do not count', () => {
    expect(power(['fleet:read'])).toBe(1);
    expect(power(['fleet:manager'])).toBe(4);
    expect(power(['fleet:admin'])).toBe(14);
    expect(power(['account:owner'])).toBe(ALL.length);
    expect(power(['fleet:manager', 'FLEET:read', 'fleet:read'])).toBe(4);
    expect(power([])).toBe(0);
  });
});
