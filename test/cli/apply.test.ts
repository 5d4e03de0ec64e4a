import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type CommandLine, openCommandLine } from './command-line.ts';

let cli: CommandLine;
let gateway: { close(): Promise<void> };
let file: string;

beforeEach(async () => {
  cli = await openCommandLine();
  gateway = await cli.startGateway();
  await mkdir(join(cli.directory, 'conf', 'keys'), { recursive: true });
  file = join(cli.directory, 'conf', 'teams.yaml');
  cli.variables['ACME_KEY'] = 'mason-key-canary-1';
});

afterEach(async () => {
  await gateway.close();
  await cli.close();
});

const TEAMS = `
teams:
  acme:
    name: Acme Ltd
    apps:
      dashboard: { weight: 2 }
      kiosk:
    keys:
      main: { key: { env: ACME_KEY }, scopes: [fleet:read], limit: 100/1s }
`;

describe('apply on the command line', () => {
  test('shows the difference, does it, and has nothing to do the second time', async () => {
    await writeFile(file, TEAMS);
    const steps = [
      'add the team acme',
      'add the app acme/dashboard, weight 2',
      'add the app acme/kiosk, weight 1',
      'add the key acme/main with fleet:read, on the new budget acme-main, limit 100/1s',
    ];
    const told = (mark: string) => steps.map((step) => `${mark}: ${step}\n`).join('');
    expect(await cli.run(['apply', '-f', file, '--dry-run'])).toEqual({ code: 0, out: told('would'), err: '' });
    expect(await cli.run(['apply', '-f', file])).toEqual({ code: 0, out: told('done'), err: '' });
    expect(await cli.run(['apply', '--file', file])).toEqual({
      code: 0,
      out: '',
      err: 'Everything is as the file says: there was nothing to do.\n',
    });
    expect(await cli.json('apply', '-f', file)).toEqual({ applied: true, steps: [], notes: [] });
    expect(JSON.stringify(cli.management.record.events)).not.toContain('canary');
  });

  test('removes with --prune only', async () => {
    await writeFile(file, TEAMS);
    await cli.run(['apply', '-f', file]);
    await writeFile(file, 'teams: { other: }');
    expect(await cli.json('apply', '-f', file)).toMatchObject({ steps: [{ act: 'team.add', on: 'other' }] });
    expect((await cli.run(['apply', '-f', file, '--prune'])).out).toBe(
      'done: remove the team acme, with all that is its own\n',
    );
  });

  test('finds a secret beside the file, if nobody else could have', async () => {
    await writeFile(join(cli.directory, 'conf', 'keys', 'main'), 'mason-key-canary-2\n', { mode: 0o600 });
    await writeFile(file, TEAMS.replace('env: ACME_KEY', 'file: keys/main'));
    await cli.run(['apply', '-f', file]);
    const [key] = await cli.management.store.keys.list();
    expect(key?.last4).toBe('ry-2');
    await chmod(join(cli.directory, 'conf', 'keys', 'main'), 0o644);
    expect(await cli.run(['apply', '-f', file])).toMatchObject({
      code: 2,
      err: expect.stringMatching(
        /teams\.acme\.keys\.main\.key: .*keys\/main: expected a file that only you and your group can read/,
      ),
    });
  });

  test('tells every problem at once, with its place, repeats no secret, and reaches for no gateway', async () => {
    await gateway.close();
    await writeFile(
      file,
      `
teams:
  acme:
    colour: red
    apps: { x: { weight: 0 } }
    keys:
      inline: { key: mason-key-canary-3, scopes: [fleet:read] }
      both: { key: { env: A, file: b }, scopes: [fleet:read] }
      unset: { key: { env: NOT_SET }, scopes: [fleet:fly] }
      missing: { key: { file: nowhere }, limit: fast }
      odd: { key: { env: ODD }, scopes: [fleet:read] }
  Bad Name: {}
more: 1
`,
    );
    cli.variables['ODD'] = 'canary\u0000';
    const told = await cli.run(['apply', '-f', file]);
    const places = told.err
      .trim()
      .split('\n')
      .map((line) => line.replace(`gateway: ${file}: `, ''));
    expect([told.code, told.out, cli.opened.count]).toEqual([2, '', 0]);
    expect(places).toEqual([
      'teams.acme.keys.inline.key: expected {env: NAME} or {file: path}, got a text: a key never stands in the file itself',
      'teams.acme.keys.both.key: expected {env: NAME} or {file: path}, got something else',
      'teams.acme.keys.unset.key: expected the variable NOT_SET to be set, got nothing',
      expect.stringMatching(/^teams\.acme\.keys\.missing\.key: .*conf\/nowhere: cannot be read \(ENOENT\)$/),
      'teams.acme.apps.x.weight: expected a whole number, 1 to 100, got 0',
      'teams.acme.keys.unset.scopes.0: expected a scope of Mason\'s such as fleet:read, got "fleet:fly"',
      'teams.acme.keys.missing.scopes: expected a list of scopes, got nothing',
      expect.stringMatching(/^teams\.acme\.keys\.missing\.limit: expected a limit such as 100\/1s/),
      "teams.acme.keys.odd.key: expected a Mason API key: one line, as Mason's web app shows it, got [secret]",
      'teams.acme.colour: expected no such field',
      expect.stringMatching(/^teams\.Bad Name: expected 1 to 63 lower-case letters.*got "Bad Name"$/),
      'more: expected no such field',
    ]);
    expect(told.err).not.toContain('canary');
  });

  test.each([
    ['', 'expected a mapping with "teams"'],
    ['- a', 'expected a mapping with "teams"'],
    ['teams: [', /at line 1/],
    ['teams: {}\nteams: {}', /Map keys must be unique at line 2/],
    ['teams: 7', 'teams: expected a mapping by name, got 7'],
  ])('%j is no such file', async (text, problem) => {
    await writeFile(file, text);
    const { code, err } = await cli.run(['apply', '-f', file]);
    expect(code).toBe(2);
    expect(err).toMatch(problem);
    expect(err).toMatch(/^gateway: .*teams\.yaml: /);
  });

  test('what the gateway refuses is told, and nothing was done', async () => {
    await writeFile(file, 'teams: { acme: { keys: { main: { scopes: [fleet:read] } } } }');
    expect(await cli.run(['apply', '-f', file])).toMatchObject({
      code: 2,
      err: 'gateway: teams.acme.keys.main.key: expected a Mason API key, since there is none yet, got nothing\n',
    });
    expect(await cli.management.store.teams.list()).toEqual([]);
  });
});
