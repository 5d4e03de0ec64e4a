import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type CommandLine, openCommandLine } from './command-line.ts';

describe.each(['through the running gateway', 'with no gateway running'])('the command line, %s', (where) => {
  let cli: CommandLine;
  let gateway: { close(): Promise<void> } | undefined;

  beforeEach(async () => {
    cli = await openCommandLine();
    gateway = where === 'through the running gateway' ? await cli.startGateway() : undefined;
  });

  afterEach(async () => {
    await gateway?.close();
    await cli.close();
  });

  test('a team comes from nothing to its first token, and everything is on record under the account', async () => {
    expect(await cli.run(['team', 'add', 'acme', '--name', 'Acme Ltd'])).toMatchObject({
      code: 0,
      out: 'Added the team acme.\n',
    });
    const added = await cli.run(
      ['key', 'add', '--team', 'acme', '--name', 'main', '--scope', 'fleet:read, notify:reboot'],
      'mason-key-canary\n',
    );
    expect(added).toMatchObject({ code: 0, out: 'Added the key main to the team acme, on the budget acme-main.\n' });
    expect(added.err).toContain('Note: no limit was given for the budget acme-main: it is learnt, from 5/1s on');
    expect(await cli.run(['app', 'add', '--team', 'acme', '--name', 'dashboard'])).toMatchObject({ code: 0 });
    const token = await cli.run(['token', 'create', '--team', 'acme', '--app', 'dashboard', '--scope', 'fleet:read']);
    expect(token.out).toMatch(/^mgw_[0-9A-Za-z]{36}\n$/);
    expect(token.err).toContain('Shown this once.');

    expect(cli.management.record.acts()).toEqual([
      'team.add intended',
      'team.add done',
      'key.add intended',
      'key.add done',
      'app.add intended',
      'app.add done',
      'token.create intended',
      'token.create done',
    ]);
    for (const event of cli.management.record.events) {
      expect(event.actor).toEqual({ kind: 'operator', account: userInfo().username });
    }
    expect(cli.opened.count).toBe(gateway === undefined ? 4 : 0);
  });

  test('lists are tables for people and {"data": …} for programs', async () => {
    await cli.run(['team', 'add', 'acme']);
    await cli.run(['team', 'add', 'a-longer-name', '--name', 'Ümläut & Co']);
    const lines = (await cli.run(['team', 'list'])).out.split('\n');
    expect(lines[0]).toBe('TEAM           NAME         APPS  KEYS  TOKENS  CREATED');
    expect(lines[1]).toMatch(/^a-longer-name {2}Ümläut & Co {2}0 {5}0 {5}0 {7}2026-11-23T\d\d:00:00[+-]\d\d:\d\d$/);
    expect(lines[2]).toMatch(/^acme {11}acme {9}0/);
    expect(await cli.json('team', 'list')).toMatchObject({ data: [{ slug: 'a-longer-name' }, { slug: 'acme' }] });
    expect(await cli.run(['app', 'list'])).toEqual({
      code: 0,
      out: '',
      err: 'There are no apps yet: app add --team <team> --name <name>\n',
    });
    expect(await cli.json('app', 'list')).toEqual({ data: [] });
  });

  test('every verb of every noun does its act', async () => {
    await cli.run(['team', 'add', 'acme']);
    await cli.run(['key', 'add', '--team', 'acme', '--name', 'main', '--scope', 'fleet:read'], 'key-1');
    expect(await cli.json('key', 'list', '--team', 'acme')).toMatchObject({ data: [{ name: 'main', limit: null }] });
    const set = [
      'key',
      'set',
      '--team',
      'acme',
      '--name',
      'main',
      '--limit',
      '600/60s',
      '--burst',
      '3',
      '--budget',
      'b',
    ];
    expect(await cli.json(...set)).toMatchObject({ limit: '600/60s', burst: 3, budget: 'b' });
    expect((await cli.run(['budget', 'list'])).out).toMatch(/^b {7}600\/60s {2}3 {6}measured {2}acme\/main$/m);
    expect(await cli.json('key', 'test', '--team', 'acme', '--name', 'main')).toMatchObject({ verdict: 'alive' });
    await cli.run(['app', 'add', '--team', 'acme', '--name', 'x', '--weight', '2']);
    expect(await cli.json('app', 'set', '--team', 'acme', '--name', 'x', '--weight', '9')).toMatchObject({ weight: 9 });
    const create = [
      'token',
      'create',
      '--team',
      'acme',
      '--app',
      'x',
      '--scope',
      'fleet:read',
      '--scope',
      'gateway:audit',
    ];
    const made = await cli.json(
      ...create,
      '--expires',
      '1d',
      '--effects',
      'read',
      '--from',
      '10.0.0.0/8,::1',
      '--urgency',
      '2',
    );
    expect(made).toMatchObject({
      token: expect.stringMatching(/^mgw_/),
      scopes: ['fleet:read', 'gateway:audit'],
      effects: 'read',
      from: ['10.0.0.0/8', '::1/128'],
      urgency: 2,
    });
    const { id } = made as { id: string };
    expect((await cli.run(['token', 'list'])).out).toContain('active, expiring');
    const rotated = await cli.run(['token', 'rotate', id, '--grace', '1h', '--expires', '30d']);
    expect(rotated.out).toMatch(/^mgw_[0-9A-Za-z]{36}\n$/);
    expect(rotated.err).toContain('The old one works until 2026-11-23T');
    expect((await cli.run(['token', 'revoke', id])).out).toBe(`Revoked the token ${id} of acme/x.\n`);
    expect((await cli.run(['app', 'remove', '--team', 'acme', '--name', 'x'])).out).toContain(
      'tokens that died with it: 1',
    );
    const replaced = await cli.run(['key', 'rotate', '--team', 'acme', '--name', 'main'], 'key-2\n');
    expect(replaced).toMatchObject({ code: 0, out: 'The key main of the team acme is another now.\n' });
    expect(replaced.err).toContain('key forget --team acme --name main');
    expect(cli.management.probed.at(-1)?.secret.reveal()).toBe('key-2');
    expect(await cli.json('key', 'forget', '--team', 'acme', '--name', 'main')).toMatchObject({ previous: null });
    expect((await cli.run(['budget', 'set', 'b', '--limit', '5/1s', '--burst', 'auto'])).out).toBe(
      'The budget b: limit 5/1s, burst auto, spread measured; keys acme/main.\n',
    );
    expect((await cli.run(['team', 'set', 'acme', '--name', 'Acme & Co'])).out).toContain('is called Acme & Co now');
    expect((await cli.run(['key', 'remove', '--team', 'acme', '--name', 'main'])).code).toBe(0);
    expect((await cli.run(['team', 'remove', 'acme'])).out).toContain('Removed the team acme');
  });

  test('a refusal is one line and exit code 1; a bad value is one line and exit code 2', async () => {
    await cli.run(['team', 'add', 'acme']);
    expect(await cli.run(['team', 'add', 'acme'])).toEqual({
      code: 1,
      out: '',
      err: 'gateway: there is a team acme already\n',
    });
    expect(await cli.run(['team', 'add', 'ACME'])).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringMatching(/^gateway: slug: expected 1 to 63 lower-case letters.*got "ACME"\n$/),
    });
    const told = await cli.run(['app', 'list', '--team', 'nobody', '--json']);
    expect([told.code, JSON.parse(told.err)]).toEqual([
      1,
      { type: 'not_found_error', message: 'there is no team nobody' },
    ]);
  });

  test('a dead key makes the test fail, for scripts', async () => {
    await cli.run(['team', 'add', 'acme']);
    await cli.run(['key', 'add', '--team', 'acme', '--name', 'main', '--scope', 'fleet:read'], 'key-1');
    cli.management.probeAnswer = { verdict: 'dead', status: 401, message: 'it answered 401' };
    expect(await cli.run(['key', 'test', '--team', 'acme', '--name', 'main'])).toEqual({
      code: 1,
      out: 'The key main is dead: it answered 401\n',
      err: 'gateway: the key main is dead\n',
    });
  });

  test('leaked tokens are found anywhere in a text, and those of ours revoked', async () => {
    await cli.run(['team', 'add', 'acme']);
    await cli.run(['app', 'add', '--team', 'acme', '--name', 'x']);
    const { out } = await cli.run(['token', 'create', '--team', 'acme', '--app', 'x', '--scope', 'fleet:read']);
    const file = join(cli.directory, 'leaked.txt');
    const nearly = `${out.trim().slice(0, -1)}_`;
    await writeFile(file, `export TOKEN="${out.trim()}";\n${out.trim()}x mgw_${'0'.repeat(36)} ${nearly}`);
    expect(await cli.json('token', 'revoke', '--from-file', file)).toEqual({
      data: [
        { place: 1, result: 'revoked', id: expect.stringMatching(/^tok_/), team: 'acme', app: 'x' },
        { place: 2, result: 'malformed' },
      ],
    });
    await writeFile(file, 'nothing');
    expect((await cli.run(['token', 'revoke', '--from-file', file])).err).toContain('nothing in it looks like a token');
  });
});

describe('the command line', () => {
  let cli: CommandLine;

  beforeEach(async () => {
    cli = await openCommandLine();
  });

  afterEach(async () => {
    await cli.close();
  });

  test.each([
    [[], 'expected a command (see --help)'],
    [['team'], 'expected a command (see --help)'],
    [['nonsense'], "unknown command 'nonsense' (see --help)"],
    [['team', 'add'], "missing required argument 'team' (see --help)"],
    [['team', 'add', 'a', 'b'], "too many arguments for 'add'. Expected 1 argument but got 2: a, b. (see --help)"],
    [['team', 'list', '--colour'], "unknown option '--colour' (see --help)"],
    [['app', 'add', '--team', 'acme'], "required option '--name <name>' not specified (see --help)"],
    [['key', 'add', '--name', 'x'], 'required: --team, --scope (see --help)'],
    [['key', 'rotate', '--team', 'x'], 'required: --name (see --help)'],
    [['sign-in-link', '--team', 'x'], "required option '--role <role>' not specified (see --help)"],
    [['apply'], "required option '-f, --file <file>' not specified (see --help)"],
    [['person', 'set', 'per_1'], 'expected either --role or --claims, one of them'],
    [['token', 'revoke'], 'expected either an id or --from-file, one of them'],
    [['audit', 'query', '--all', '--after', 'x'], 'expected one of --all and --after, got both'],
  ])('%j is a typing error: exit code 2, one line, and no store opened', async (words, message) => {
    expect(await cli.run(words)).toEqual({ code: 2, out: '', err: `gateway: ${message}\n` });
    const told = await cli.run([...words, '--json']);
    expect(JSON.parse(told.err)).toMatchObject({ type: 'invalid_request_error' });
    expect(cli.opened.count).toBe(0);
  });

  test('every verb has help with an example that names it', async () => {
    const nouns = (await cli.run(['--help'])).out.matchAll(/^ {2}([a-z]+) {2,}/gm);
    let verbs = 0;
    for (const [, name = ''] of nouns) {
      if (name === 'serve' || name === 'simulate') continue;
      const help = await cli.run([name, '--help']);
      expect(help.code).toBe(0);
      for (const [, verb = ''] of help.out.matchAll(/^ {2}([a-z]+) .{2,}/gm)) {
        verbs += 1;
        const { code, out } = await cli.run([name, verb, '--help']);
        expect([code, out]).toEqual([
          0,
          expect.stringContaining(`\nExample:\n  npm run -s gateway -- ${name} ${verb}`),
        ]);
        expect(out).toContain('--json');
      }
    }
    expect(verbs).toBe(44);
    for (const name of ['apply', 'sign-in-link']) {
      const { code, out } = await cli.run([name, '--help']);
      expect([code, out]).toEqual([0, expect.stringContaining(`\nExample:\n  npm run -s gateway -- ${name} `)]);
    }
  });

  test('a gateway that goes away in the middle is told in one line', async () => {
    const broken = createServer((socket) => {
      socket.once('data', () => socket.destroy());
    });
    await new Promise<void>((resolve) => {
      broken.listen(join(cli.directory, 'gateway.sock'), resolve);
    });
    expect(await cli.run(['team', 'list'])).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringMatching(/^gateway: the gateway at .*gateway\.sock did not answer: .*\n$/),
    });
    await new Promise((resolve) => {
      broken.close(resolve);
    });
  });

  test('serve and simulate hand over, and their exit codes come back', async () => {
    const seen: (readonly string[])[] = [];
    await cli.close();
    cli = await openCommandLine({
      serve: async () => 1,
      simulate: async (argv) => {
        seen.push(argv);
        return 2;
      },
    });
    expect((await cli.run(['serve'])).code).toBe(1);
    expect((await cli.run(['simulate', '--port', '0', '--limit=5/1s', '--help'])).code).toBe(2);
    expect(seen).toEqual([['--port', '0', '--limit=5/1s', '--help']]);
  });

  test('settings are checked and shown; every problem is told, a line each', async () => {
    expect(await cli.run(['config', 'check'])).toEqual({ code: 0, out: 'The settings are in order.\n', err: '' });
    expect(await cli.json('config', 'show')).toEqual({ gateway: { dataDir: cli.directory } });
    await cli.close();
    cli = await openCommandLine({
      fileProblems: async () => ['a: the certificate has expired', 'b: names another host'],
    });
    expect(await cli.run(['config', 'check'])).toEqual({
      code: 1,
      out: '',
      err: 'gateway: a: the certificate has expired\ngateway: b: names another host\n',
    });
    await cli.close();
    cli = await openCommandLine({
      loadConfig: () => {
        throw new Error('a: expected 1, got 2\nb: expected 3, got 4');
      },
    });
    expect(await cli.run(['config', 'check'])).toEqual({
      code: 1,
      out: '',
      err: 'gateway: a: expected 1, got 2\ngateway: b: expected 3, got 4\n',
    });
  });
});
