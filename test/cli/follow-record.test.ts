import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { listenOnSocket } from '../../src/admin/listen-on-socket.ts';
import { OPERATOR } from '../manage/management.ts';
import { eventually } from '../support/eventually.ts';
import { type CommandLine, openCommandLine } from './command-line.ts';

const AWAY = /^gateway: the gateway is away, and waited for: .*gateway\.sock did not answer: .*\n$/;
let cli: CommandLine;
let doors: { close(): Promise<void> }[];

beforeEach(async () => {
  doors = [];
  cli = await openCommandLine();
});

afterEach(async () => {
  // After a test that failed, too: an open socket would keep the process alive.
  cli.interrupt.abort();
  for (const door of doors) await door.close();
  await cli.close();
});

const addTeam = (slug: string) => cli.management.acts['team.add'](OPERATOR, { slug }, `request-${slug}`);

/** Something in the place of the gateway; counts what it is asked. */
async function standIn(answer: RequestListener): Promise<{ asked: number; close(): Promise<void> }> {
  const counted = { asked: 0, close: () => listener.close() };
  const listener = await listenOnSocket(join(cli.directory, 'gateway.sock'), (req, res) => {
    counted.asked += 1;
    answer(req, res);
  });
  doors.push(counted);
  return counted;
}

async function startGateway(): Promise<{ close(): Promise<void> }> {
  const gateway = await cli.startGateway();
  doors.push(gateway);
  return gateway;
}

describe('audit tail -f, while the gateway goes away and comes back', () => {
  test('says so once, goes on by itself, loses nothing and repeats nothing', async () => {
    await addTeam('a');
    const first = await startGateway();
    const tail = cli.begin(['audit', 'tail', '-f', '--json']);
    await eventually('the first events are shown', () => tail.out.includes('request-a'));
    await addTeam('b');
    await first.close();
    await addTeam('c');
    await eventually('it is told that the gateway is away', () => tail.err !== '');

    // A gateway that is ending, and one that dies in the middle of its answer: as good as away.
    const ending = await standIn((_req, res) => {
      res.writeHead(503, { 'Content-Type': 'application/json' }).end('{"type":"api_error","message":"not now"}');
    });
    await eventually('it asked the one that is ending', () => ending.asked >= 2);
    await ending.close();
    const dying = await standIn((_req, res) => {
      res.writeHead(200, { 'Content-Length': '1000' });
      res.write('{"data":[', () => res.destroy());
    });
    await eventually('it asked the one that dies', () => dying.asked >= 2);
    await dying.close();

    await startGateway();
    await eventually('what came meanwhile is shown', () => tail.out.includes('request-c'));
    await addTeam('d');
    await eventually('what comes then is shown', () => tail.out.includes('request-d'));
    cli.interrupt.abort();
    expect((await tail.ended).code).toBe(0);

    const shown = tail.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).seq);
    expect(shown).toEqual(cli.management.record.events.map((_, at) => at + 1));
    expect(JSON.parse(tail.err)).toEqual({
      type: 'api_error',
      message: expect.stringMatching(/^the gateway is away, and waited for: /),
    });
    expect(cli.opened.count).toBe(0);
  });

  test('tells each time, and people also when it is back', async () => {
    let gateway = await startGateway();
    const tail = cli.begin(['audit', 'tail', '-f']);
    await eventually('the first look is on record', () => cli.management.record.events.length === 1);
    expect(tail.err).toBe('');
    for (const times of [1, 2]) {
      await gateway.close();
      await eventually('it is told', () => tail.err.split('is away').length === times + 1);
      gateway = await startGateway();
      await eventually('it is back', () => tail.err.split('answers again').length === times + 1);
    }
    cli.interrupt.abort();
    expect(await tail.ended).toMatchObject({ code: 0 });
  });

  test('Ctrl-C ends it while the gateway is away', async () => {
    const gateway = await startGateway();
    const tail = cli.begin(['audit', 'tail', '-f']);
    await eventually('the first look is on record', () => cli.management.record.events.length === 1);
    await gateway.close();
    await eventually('it is told that the gateway is away', () => tail.err !== '');
    cli.interrupt.abort();
    expect(await tail.ended).toMatchObject({ code: 0, err: expect.stringMatching(AWAY) });
  });

  test('Ctrl-C ends it while the gateway does not answer', async () => {
    const silent = await standIn(() => {});
    const tail = cli.begin(['audit', 'tail', '-f']);
    await eventually('it is asked', () => silent.asked === 1);
    cli.interrupt.abort();
    expect(await tail.ended).toMatchObject({ code: 0, err: '' });
  });

  test('a refusal ends it: waiting would not help', async () => {
    await startGateway();
    expect(await cli.run(['audit', 'tail', '-f', '--status', '99'])).toMatchObject({
      code: 2,
      err: 'gateway: status: expected a whole number, 100 to 599, got "99"\n',
    });
  });
});
