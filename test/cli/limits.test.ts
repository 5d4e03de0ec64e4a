import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type CommandLine, openCommandLine } from './command-line.ts';

let cli: CommandLine;

beforeEach(async () => {
  cli = await openCommandLine();
  await cli.run(['team', 'add', 'acme']);
  await cli.run(
    ['key', 'add', '--team', 'acme', '--name', 'main', '--scope', 'fleet:read', '--limit', 'auto'],
    'a-key',
  );
});

afterEach(async () => {
  await cli.close();
});

describe('limits on the command line', () => {
  test('are shown with what they are known from, given, and learnt again', async () => {
    expect((await cli.run(['limit', 'show'])).out).toMatch(/^acme-main +5\/1s +assumed +- +0 +never +-$/m);
    const given = await cli.run(['limit', 'set', '--budget', 'acme-main', '600/60s']);
    expect(given).toMatchObject({
      code: 0,
      out: 'The budget acme-main: limit 600/60s, spread measured; keys acme/main.\n',
    });
    expect((await cli.run(['limit', 'show', '--budget', 'acme-main'])).out).toBe(
      'The budget acme-main: 600/60s, given.\n',
    );
    expect((await cli.run(['limit', 'set', '--budget', 'acme-main', 'auto'])).out).toContain('limit auto');
    expect(await cli.json('limit', 'show')).toMatchObject({ data: [{ budget: 'acme-main', known: 'assumed' }] });
  });

  test('show all that is known of one, so that an operator sees why a line is slow', async () => {
    cli.management.pace = {
      limit: { calls: 990, windowMs: 3_600_000 },
      spreadMs: 12.4,
      learning: {
        mode: 'waiting',
        levels: [
          { calls: 990, windowMs: 3_600_000, from: 'learnt', takenBefore: 1_000 },
          { calls: 60, windowMs: 1_000, from: 'assumed', takenBefore: undefined },
        ],
        refusals: [{ at: Date.UTC(2026, 10, 23, 10), askedMs: 3_400_000, windowMs: 3_600_000, taken: 1_000 }],
        refusalsSeen: 3,
        probesAt: undefined,
        waitsUntil: Date.UTC(2026, 10, 23, 11),
      },
    };
    const { out } = await cli.run(['limit', 'show', '--budget', 'acme-main']);
    expect(out).toContain('The budget acme-main: 990/3600s, learnt; Mason refused, and has taken no call since.');
    expect(out).toContain('990/3600s: Mason had taken 1000 calls when it refused');
    expect(out).toMatch(/refused 2026-11-2\S+: 1000 calls in 3600s, a wait of 3400 s was asked for/);
    expect(out).toContain('nobody sends before ');
    expect(out).toContain('spread of the way to Mason: 12 ms, measured');
  });

  test('show a spread that was given as such, wherever it was given, until it is measured again', async () => {
    const key = ['--team', 'acme', '--name', 'main'];
    expect(await cli.json('key', 'set', ...key, '--limit', '600/60s', '--spread', '40')).toMatchObject({
      spreadMs: 40,
    });
    expect((await cli.run(['budget', 'list'])).out).toMatch(/ 40 ms +acme\/main$/m);
    expect((await cli.run(['limit', 'show'])).out).toMatch(/^acme-main .* 40 ms, given$/m);
    expect((await cli.run(['budget', 'set', 'acme-main', '--spread', '0'])).out).toContain('spread 0 ms; keys');
    const limitSet = ['limit', 'set', '--budget', 'acme-main'];
    expect((await cli.run([...limitSet, '100/1s', '--spread', '70'])).out).toContain('limit 100/1s, spread 70 ms;');
    expect((await cli.run(['limit', 'show', '--budget', 'acme-main'])).out).toContain('Mason: 70 ms, given');
    expect(await cli.run(['budget', 'set', 'acme-main', '--spread', '101'])).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringContaining('0 to 100 milliseconds (a tenth of the window of 100/1s), or "measured", got 101'),
    });
    const back = await cli.run(['budget', 'set', 'acme-main', '--spread', 'measured']);
    expect(back.out).toContain('spread measured;');
    expect((await cli.run(['limit', 'show'])).out).toMatch(/^acme-main .* -$/m);
  });

  test('are forgotten by name, and a name that is not there is told', async () => {
    expect((await cli.run(['limit', 'forget', '--budget', 'acme-main'])).out).toBe(
      'What was learnt of the budget acme-main is forgotten.\n',
    );
    expect(await cli.run(['limit', 'forget', '--budget', 'nobody'])).toMatchObject({ code: 1, out: '' });
    expect((await cli.run(['limit', 'show', '--budget', 'nobody'])).err).toContain('there is no budget nobody');
  });
});
