import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Input } from '../../src/cli/rooms.ts';
import { type CommandLine, openCommandLine } from './command-line.ts';

const CANARY = 'mason-canary-9e1f07';
const ADD = ['key', 'add', '--team', 'acme', '--name', 'main', '--scope', 'fleet:read'];

/** A terminal at which somebody types; remembers whether it showed what was typed. */
class Keyboard extends PassThrough implements Input {
  readonly isTTY = true;
  readonly modes: boolean[] = [];

  setRawMode(mode: boolean): void {
    this.modes.push(mode);
  }
}

let cli: CommandLine;

beforeEach(async () => {
  cli = await openCommandLine();
  await cli.run(['team', 'add', 'acme']);
});

afterEach(async () => {
  await cli.close();
});

/** The key as it was stored. */
async function stored(): Promise<string | undefined> {
  const team = await cli.management.store.teams.findBySlug('acme');
  const key = team && (await cli.management.store.keys.findByName(team.id, 'main'));
  if (team === undefined || key === undefined) return undefined;
  return cli.management.vault
    .open({ teamId: team.id, keyId: key.id, origin: key.origin }, key.sealed, team.sealedDataKey)
    .reveal();
}

describe('a Mason key comes in', () => {
  test('from what is piped in, without the end of the line', async () => {
    expect((await cli.run(ADD, `${CANARY}\r\n`)).code).toBe(0);
    expect(await stored()).toBe(CANARY);
  });

  test('from a prompt that does not show it, and gives the terminal back', async () => {
    const keyboard = new Keyboard();
    const ran = cli.run(ADD, keyboard);
    keyboard.write('wrong\u0015mason-canaryy\u007f');
    keyboard.write('-9e1f07\r');
    const { code, out, err } = await ran;
    expect(code).toBe(0);
    expect(keyboard.modes).toEqual([true, false]);
    expect(err).toMatch(/^Mason key \(not shown\): \n/);
    expect(out + err).not.toContain('canary');
    expect(await stored()).toBe(CANARY);
  });

  test('not at all when the person at the prompt thinks better of it', async () => {
    const keyboard = new Keyboard();
    const ran = cli.run(ADD, keyboard);
    keyboard.write('half a key\u0003');
    expect(await ran).toMatchObject({ code: 2, err: expect.stringContaining('nothing was changed') });
    expect(keyboard.modes).toEqual([true, false]);
    expect(await stored()).toBeUndefined();
  });

  test('not when nothing was given', async () => {
    expect(await cli.run(ADD, '\n')).toMatchObject({
      code: 2,
      err: 'gateway: Mason key: expected a key, got nothing\n',
    });
  });

  test('from a file that others cannot read', async () => {
    const file = join(cli.directory, 'key.txt');
    await writeFile(file, `${CANARY}\n`, { mode: 0o600 });
    expect((await cli.run([...ADD, '--from-file', file])).code).toBe(0);
    expect(await stored()).toBe(CANARY);
  });

  test('not from a file that everybody can read: then it may have been read', async () => {
    const file = join(cli.directory, 'key.txt');
    await writeFile(file, CANARY);
    await chmod(file, 0o644);
    expect(await cli.run([...ADD, '--from-file', file])).toMatchObject({
      code: 2,
      err: expect.stringMatching(/found mode 0644: everybody on this machine may have read the key; chmod 600/),
    });
    expect(await cli.run([...ADD, '--from-file', `${file}.absent`])).toMatchObject({
      code: 2,
      err: `gateway: ${file}.absent: cannot be read (ENOENT)\n`,
    });
    expect(await stored()).toBeUndefined();
  });

  test.each([
    [['key', 'add', CANARY]],
    [[...ADD, CANARY]],
    [[...ADD, '--key', CANARY]],
    [[...ADD, `--key=${CANARY}`]],
    [['key', 'add', '--key', CANARY]],
  ])('never as an argument (%#): it is refused with the reason, and not repeated', async (words) => {
    const ran = await cli.run(words);
    expect(ran).toMatchObject({ code: 2, out: '', err: expect.stringContaining('a Mason key is never an argument') });
    expect(ran.err).not.toContain('canary');
    expect(await stored()).toBeUndefined();
  });

  test('a token in the place of its id is not repeated either', async () => {
    const ran = await cli.run(['token', 'revoke', `mgw_${'a'.repeat(36)}`]);
    expect(ran).toMatchObject({ code: 2, err: expect.stringContaining('got a token') });
    expect(ran.err).not.toContain('aaaa');
  });
});
