import { describe, expect, test } from '@jest/globals';
import type { Call } from '../../src/call/call.ts';
import { SessionCredential } from '../../src/call/session-credential.ts';
import type { Verdicts } from '../../src/call/verdicts.ts';
import type { RoleGrant } from '../../src/domain/person.ts';
import type { BrowserCallers, LiveSession } from '../../src/domain/session.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const ALL = ['account:owner'];
const slugs = new Map([
  ['t-alpha', 'alpha'],
  ['t-beta', 'beta'],
]);

interface Asked {
  readonly grants: readonly RoleGrant[];
  readonly named?: string;
  readonly frontendTeams?: readonly string[];
}

const grant = (role: RoleGrant['role'], teamId?: string, scopes: readonly string[] = ALL): RoleGrant => ({
  role,
  teamId,
  scopes,
});

/** A credential of a person with these roles, and the call it came with. */
function credential({ grants, named, frontendTeams }: Asked): { credential: SessionCredential; call: Call } {
  const clock = new VirtualClock();
  const session = {
    digest: 'digest',
    id: 'ses_1',
    person: { id: 'per_1', name: 'Ada', grants },
    endsAt: clock.epochMs() + 60_000,
  } as unknown as LiveSession;
  const browsers = { check: async () => session, noteUse: () => {} } as unknown as BrowserCallers;
  const verdicts = { teamSlugs: async () => slugs } as unknown as Verdicts;
  const frontend = frontendTeams && { origin: 'https://page.example.com', teams: frontendTeams };
  const call = {
    req: { headers: named === undefined ? {} : { 'gateway-team': named } },
    epochMs: clock.epochMs(),
    rightEndsAfter: () => {},
  } as unknown as Call;
  return { credential: new SessionCredential({ session, frontend, query: '' }, browsers, verdicts, clock), call };
}

const caller = ({ ...asked }: Asked) => {
  const made = credential(asked);
  return made.credential.caller(made.call);
};

describe('A person calls with the rights of their role, for one team at a time', () => {
  test.each([
    ['viewer', 'read'],
    ['member', 'change'],
    ['lead', 'destructive'],
  ] as const)('a %s may do what is at most: %s', async (role, effectCeiling) => {
    await expect(caller({ grants: [grant(role, 't-alpha')] })).resolves.toMatchObject({
      kind: 'person',
      team: { id: 't-alpha', slug: 'alpha' },
      effectCeiling,
      scopes: ALL,
      sessionId: 'ses_1',
    });
  });

  test.each([
    ['operator', undefined],
    ['auditor', undefined],
    ['auditor', 't-alpha'],
  ] as const)('an %s (of %s) calls nothing', async (role, teamId) => {
    await expect(caller({ grants: [grant(role, teamId)] })).rejects.toMatchObject({
      code: 'forbidden',
      message: `calls need the role viewer, member or lead in a team; your roles are: ${role}`,
    });
  });

  test('of several roles in a team the highest counts, with its own scopes', async () => {
    const grants = [grant('lead', 't-alpha', ['fleet:read']), grant('viewer', 't-alpha')];
    await expect(caller({ grants })).resolves.toMatchObject({ effectCeiling: 'destructive', scopes: ['fleet:read'] });
  });

  test('with several teams the call must name one, and is told which', async () => {
    const grants = [grant('lead', 't-alpha'), grant('viewer', 't-beta')];
    await expect(caller({ grants })).rejects.toMatchObject({
      code: 'invalid_request',
      message: 'expected "Gateway-Team: <team>" with one of your teams: alpha, beta',
    });
    await expect(caller({ grants, named: 'beta' })).resolves.toMatchObject({ effectCeiling: 'read' });
    await expect(caller({ grants, named: 'gamma' })).rejects.toMatchObject({ code: 'forbidden' });
  });

  test('a team that is gone gives no rights', async () => {
    await expect(caller({ grants: [grant('lead', 't-gone')] })).rejects.toMatchObject({ code: 'forbidden' });
  });

  test('a page of another origin acts for its own teams only', async () => {
    const grants = [grant('lead', 't-alpha'), grant('lead', 't-beta')];
    await expect(caller({ grants, frontendTeams: ['beta'] })).resolves.toMatchObject({ team: { slug: 'beta' } });
    await expect(caller({ grants, frontendTeams: ['beta'], named: 'alpha' })).rejects.toMatchObject({
      code: 'forbidden',
    });
    await expect(caller({ grants, frontendTeams: ['gamma'] })).rejects.toMatchObject({ code: 'forbidden' });
  });

  test('a team once chosen stays, whatever roles are added while the call waits', async () => {
    const { credential: held, call } = credential({ grants: [grant('lead', 't-alpha'), grant('lead', 't-beta')] });
    call.caller = await credential({ grants: [grant('lead', 't-alpha')] }).credential.caller(call);
    await expect(held.caller(call)).resolves.toMatchObject({ team: { slug: 'alpha' } });
  });
});
