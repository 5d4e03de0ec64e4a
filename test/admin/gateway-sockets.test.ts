import { mkdtemp, readdir, rm } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { listenForCommands, socketPathsIn } from '../../src/admin/gateway-sockets.ts';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sockets-'));
});
afterEach(() => rm(directory, { recursive: true }));

const say =
  (name: string): RequestListener =>
  (_req, res) =>
    res.end(name);

/** Who answers at the first socket that anybody answers at: what the command line does. */
async function first(): Promise<string | undefined> {
  for (const socketPath of await socketPathsIn(directory)) {
    const said = await new Promise<string | undefined>((resolve) => {
      const asked = request({ socketPath, path: '/', agent: false }, (answer) => resolve(text(answer)));
      asked.on('error', () => resolve(undefined));
      asked.end();
    });
    if (said !== undefined) return said;
  }
  return undefined;
}

describe('Gateways of one data directory', () => {
  test('the command line reaches the first, and when that ends another, whichever it is', async () => {
    const a = await listenForCommands(directory, 'a', true, say('a'));
    const b = await listenForCommands(directory, 'b', true, say('b'));
    expect(await first()).toBe('a');
    await a.close();
    expect(await first()).toBe('b');
    await using _again = await listenForCommands(directory, 'a', true, say('a again'));
    expect(await first()).toBe('a again');
    await b.close();
    expect(await readdir(directory)).toEqual(['gateway-a.sock', 'gateway.sock']);
  });

  test('a second of the same name is refused, and leaves the first alone', async () => {
    await using _a = await listenForCommands(directory, 'a', true, say('a'));
    await expect(listenForCommands(directory, 'a', true, say('other'))).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('by the name a: stop it first'),
    });
    expect(await first()).toBe('a');
  });

  test('without Redis there is one at a time: two would send twice what Mason takes', async () => {
    await using _a = await listenForCommands(directory, 'a', false, say('a'));
    await expect(listenForCommands(directory, 'b', false, say('b'))).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('REDIS_URL'),
    });
    expect(await first()).toBe('a');
    expect(await readdir(directory)).toEqual(['gateway-a.sock', 'gateway.sock']);
  });
});
