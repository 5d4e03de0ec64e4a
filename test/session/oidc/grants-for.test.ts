import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { grantsFor, type RoleRule } from '../../../src/session/oidc/grants-for.ts';

const TEAMS = new Map([
  ['warehouse', 'team_1'],
  ['stores', 'team_2'],
]);
const teamIdOf = (slug: string): string | undefined => TEAMS.get(slug);
const viewer = (claim: string, is: string, rest: Partial<RoleRule> = {}): RoleRule => ({
  when: { claim, is },
  role: 'viewer',
  teams: ['warehouse'],
  scopes: ['fleet:read'],
  ...rest,
});
const holds = (claims: Readonly<Record<string, unknown>>, claim: string, is: string): boolean =>
  grantsFor(claims, [viewer(claim, is)], teamIdOf).length > 0;

describe('From claims to roles', () => {
  test.each([
    ['a text', { group: 'a' }, 'group', 'a'],
    ['a number', { level: 7 }, 'level', '7'],
    ['a truth', { staff: true }, 'staff', 'true'],
    ['an element of a list', { groups: ['x', 'a'] }, 'groups', 'a'],
    ['a number in a list', { groups: [1, 2] }, 'groups', '2'],
    ['a claim inside another (Keycloak)', { realm_access: { roles: ['a'] } }, 'realm_access.roles', 'a'],
    [
      'a claim whose name is an address (Auth0)',
      { 'https://example.com/roles': ['a'] },
      'https://example.com/roles',
      'a',
    ],
    ['an address inside a claim', { app: { 'https://example.com/r': 'a' } }, 'app.https://example.com/r', 'a'],
    ['the whole name before its parts', { 'a.b': 'whole', a: { b: 'part' } }, 'a.b', 'whole'],
  ])('%s gives the role', (_what, claims, claim, is) => {
    expect(holds(claims, claim, is)).toBe(true);
  });

  test.each([
    ['another text', { group: 'ab' }, 'group', 'a'],
    ['another case', { group: 'A' }, 'group', 'a'],
    ['a part where the whole name is there', { 'a.b': 'whole', a: { b: 'part' } }, 'a.b', 'part'],
    ['a list in a list', { groups: [['a']] }, 'groups', 'a'],
    ['an object', { group: { a: true } }, 'group', 'a'],
    ['an object that says it is text', { group: { toString: (): string => 'a' } }, 'group', 'a'],
    ['nothing', { group: null }, 'group', 'null'],
    ['an absent claim', {}, 'group', 'undefined'],
    ['the place in a list', { groups: ['a'] }, 'groups.0', 'a'],
    ['the length of a list', { groups: ['a'] }, 'groups.length', '1'],
    ['what every object has', {}, 'constructor.name', 'Object'],
    ['what every object inherits', {}, '__proto__.x', 'a'],
    ['what every text has', { group: 'a' }, 'group.length', '1'],
    ['a name that begins with a dot', { '': { a: 'x' } }, '.a', 'x'],
  ])('%s does not', (_what, claims, claim, is) => {
    expect(holds(claims, claim, is)).toBe(false);
  });

  test('rules add up; the scopes of one role in one team come together', () => {
    const rules = [
      viewer('g', 'a', { teams: ['warehouse', 'stores'] }),
      viewer('g', 'b', { scopes: ['fleet:command', 'fleet:read'] }),
      viewer('g', 'b', { role: 'lead' }),
      viewer('g', 'c', { role: 'lead' }),
    ];
    expect(grantsFor({ g: ['a', 'b'] }, rules, teamIdOf)).toEqual([
      { role: 'viewer', teamId: 'team_1', scopes: ['fleet:read', 'fleet:command'] },
      { role: 'viewer', teamId: 'team_2', scopes: ['fleet:read'] },
      { role: 'lead', teamId: 'team_1', scopes: ['fleet:read'] },
    ]);
  });

  test('operators and auditors of all teams have no team, and no scopes of Mason’s', () => {
    const rules = [viewer('g', 'a', { role: 'operator', teams: [] }), viewer('g', 'a', { role: 'auditor', teams: [] })];
    expect(grantsFor({ g: 'a' }, rules, teamIdOf)).toEqual([
      { role: 'operator', teamId: undefined, scopes: [] },
      { role: 'auditor', teamId: undefined, scopes: [] },
    ]);
  });

  test('an auditor of a team that is gone does not become the auditor of all', () => {
    expect(grantsFor({ g: 'a' }, [viewer('g', 'a', { role: 'auditor', teams: ['gone'] })], teamIdOf)).toEqual([]);
  });

  test('teams that are not there are passed over, whatever their names', () => {
    const rules = [viewer('g', 'a', { teams: ['gone', '__proto__', 'stores'] })];
    expect(grantsFor({ g: 'a' }, rules, teamIdOf)).toEqual([
      { role: 'viewer', teamId: 'team_2', scopes: ['fleet:read'] },
    ]);
  });

  test('whatever a provider claims: no role but those of rules that hold', () => {
    fc.assert(
      fc.property(fc.object(), fc.string(), fc.string(), (claims, claim, is) => {
        for (const { role, teamId } of grantsFor(claims, [viewer(claim, is)], teamIdOf)) {
          expect([role, teamId]).toEqual(['viewer', 'team_1']);
          expect(JSON.stringify(claims)).toContain(JSON.stringify(is).slice(1, -1));
        }
      }),
    );
  });
});
