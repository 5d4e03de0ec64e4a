import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { OPERATOR, START_MS } from '../manage/management.ts';
import { signedIn } from '../manage/people-of-teams.ts';
import { type CommandLine, openCommandLine } from './command-line.ts';

let cli: CommandLine;
let gateway: { close(): Promise<void> };

beforeEach(async () => {
  cli = await openCommandLine();
  gateway = await cli.startGateway();
  await cli.management.acts['team.add'](OPERATOR, { slug: 'acme' });
});

afterEach(async () => {
  await gateway.close();
  await cli.close();
});

describe('people on the command line', () => {
  test('get roles, lose them, are kept out, let in and removed', async () => {
    const ada = await signedIn(cli.management, [], { sessions: 2 });
    const set = await cli.run(['person', 'set', ada.id, '--role', 'lead@acme,auditor', '--scope', 'fleet:read']);
    expect(set).toEqual({ code: 0, out: `${ada.name} has the roles lead@acme, auditor.\n`, err: '' });
    expect(await cli.json('person', 'list', '--team', 'acme')).toMatchObject({
      data: [
        {
          id: ada.id,
          grants: [
            { role: 'lead', team: 'acme', scopes: ['fleet:read'] },
            { role: 'auditor', team: null, scopes: [] },
          ],
        },
      ],
    });
    expect((await cli.run(['person', 'list'])).out).toMatch(
      new RegExp(`^${ada.id} +${ada.name} +lead@acme, auditor +hand +active`, 'm'),
    );
    const [session = ''] = ada.sessionIds;
    expect((await cli.run(['session', 'list', '--person', ada.id])).out).toContain(session);
    expect(await cli.run(['session', 'end', session])).toMatchObject({ out: `Ended the session ${session}.\n` });
    expect(await cli.run(['session', 'end', session])).toMatchObject({ code: 1 });
    expect((await cli.run(['person', 'set', ada.id, '--claims'])).out).toBe(
      `${ada.name} has the roles that the next sign-in brings; sessions ended: 1.\n`,
    );
    expect((await cli.run(['person', 'disable', ada.id])).out).toBe(`${ada.name} is kept out; sessions ended: 0.\n`);
    expect((await cli.run(['person', 'enable', ada.id])).out).toBe(`${ada.name} may sign in again.\n`);
    expect((await cli.run(['person', 'remove', ada.id])).out).toBe(`Removed ${ada.id}; sessions ended: 0.\n`);
    expect((await cli.run(['person', 'list'])).err).toContain('Nobody has signed in yet');
    expect((await cli.run(['session', 'list'])).err).toBe('Nobody is signed in.\n');
  });

  test('a role that is none is told with what could be', async () => {
    const ada = await signedIn(cli.management, []);
    expect(await cli.run(['person', 'set', ada.id, '--role', 'king@acme'])).toMatchObject({
      code: 2,
      err: 'gateway: grants.0.role: expected one of viewer, member, lead, auditor, operator, got "king"\n',
    });
  });
});

describe('a sign-in link on the command line', () => {
  test('is the whole address, and nothing else, on standard output', async () => {
    const made = await cli.run(['sign-in-link', '--team', 'acme', '--role', 'lead', '--name', 'Ada']);
    expect(made.code).toBe(0);
    expect(made.out).toMatch(/^https:\/\/gateway\.example\.com\/auth\/link#[\w-]{43}\n$/);
    expect(made.err).toMatch(
      /^Shown this once\. Whoever opens it first is lead@acme; it works once, until 2026-11-23T/,
    );
    expect(await cli.json('sign-in-link', '--role', 'operator')).toMatchObject({
      url: expect.stringMatching(/^https:\/\/gateway\.example\.com\/auth\/link#/),
      grants: [{ role: 'operator', team: null }],
      endsAt: new Date(START_MS + 600_000).toISOString(),
    });
  });

  test('for a role without its team, or a team without need, is refused', async () => {
    expect(await cli.run(['sign-in-link', '--role', 'lead'])).toMatchObject({
      code: 2,
      err: 'gateway: grants.0.team: expected the team in which somebody becomes lead, got nothing\n',
    });
    expect(await cli.run(['sign-in-link', '--role', 'operator', '--team', 'acme'])).toMatchObject({ code: 2 });
  });
});
