import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { eventLines } from '../../src/cli/event-lines.ts';
import { localTime } from '../../src/cli/local-time.ts';
import { safeJson, safeText } from '../../src/cli/safe-text.ts';
import { OPERATOR } from '../manage/management.ts';
import { type CommandLine, openCommandLine } from './command-line.ts';

let cli: CommandLine;

beforeEach(async () => {
  cli = await openCommandLine();
  for (const slug of ['a', 'b', 'c']) await cli.management.acts['team.add'](OPERATOR, { slug }, `request-${slug}`);
});

afterEach(async () => {
  await cli.close();
});

describe('audit', () => {
  test('tail shows the newest, oldest first; query the newest first', async () => {
    const tail = await cli.run(['audit', 'tail', '--limit', '3']);
    expect(tail.out).toMatch(
      /^TIME +KIND +TEAM +WHO +WHAT[^\n]*\n.* done .*request-b\n.* intended .*request-c\n.* done .*request-c\n$/,
    );
    const query = await cli.run(['audit', 'query', '--team', 'b']);
    expect(query.out).toMatch(/^TIME[^\n]*\n.* done .*request-b\n.* intended .*request-b\n$/);
    expect(await cli.run(['audit', 'query', '--team', 'none'])).toMatchObject({ code: 0, out: '' });
  });

  test('filters reach the record as they were meant', async () => {
    const options =
      '--since 2h --until 2026-11-23T09:59:00Z --app x --operation device.reboot --effect disruptive --device d1 --status 200 --request-id r --limit 5 --after 3';
    await cli.run(['audit', 'query', ...options.split(' ')]);
    expect(cli.management.record.queries.at(-1)).toEqual({
      filter: {
        since: Date.parse('2026-11-23T08:00:00Z'),
        until: Date.parse('2026-11-23T09:59:00Z'),
        app: 'x',
        operation: 'device.reboot',
        effect: 'disruptive',
        device: 'd1',
        status: 200,
        requestId: 'r',
      },
      page: { limit: 5, after: '3' },
    });
    expect(await cli.run(['audit', 'query', '--since', 'soon'])).toMatchObject({ code: 2 });
  });

  test('pages are told of, and --all gives all of them, once each, as one document', async () => {
    const page = await cli.run(['audit', 'query', '--limit', '2']);
    expect(page.err).toBe('There is more: --all, or --after 5\n');
    expect(await cli.json('audit', 'query', '--limit', '1')).toMatchObject({
      data: [{}],
      nextPage: expect.any(String),
    });
    const { data } = (await cli.json('audit', 'query', '--all', '--limit', '2')) as { data: { seq: number }[] };
    expect(data.map((event) => event.seq)).toEqual(data.map((_, at) => data.length - at));
    // Three acts of two events each, and the two looks before.
    expect(data).toHaveLength(8);
    expect((await cli.run(['audit', 'query', '--all', '--limit', '2'])).out.match(/TIME/g)).toHaveLength(1);
    expect(await cli.json('audit', 'query', '--all', '--team', 'none')).toEqual({ data: [] });
  });

  test('show tells all of one call, field by field', async () => {
    const shown = await cli.run(['audit', 'show', 'request-b']);
    expect(shown.out).toMatch(
      /^2026-\S+ {2}ada: team\.add on the team b, intended\.\n[^#]*, done\.\n\nadmin {2}gw\/1 #3\n[^#]*\n {2}result {9}intended\n[^#]*\nadmin {2}gw\/1 #4\n[^#]*\n {2}result {9}done\n/,
    );
    expect(shown.out).toMatch(/^ {2}actor\.account {2}ada$/m);
    expect(shown.out).toMatch(/^ {2}act {12}team\.add$/m);
    expect(await cli.run(['audit', 'show', 'none'])).toMatchObject({ code: 1 });
  });

  test('tail -f goes on with what comes, until Ctrl-C, which is no failure', async () => {
    let looks = 0;
    const query = cli.management.record.query.bind(cli.management.record);
    cli.management.record.query = async (filter, page) => {
      looks += 1;
      if (looks === 2) await cli.management.acts['team.add'](OPERATOR, { slug: 'd' }, 'request-d');
      if (looks === 3) cli.interrupt.abort();
      return await query(filter, page);
    };
    const ran = await cli.run(['audit', 'tail', '-f', '--limit', '1', '--json']);
    expect(ran.code).toBe(0);
    const seen = ran.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).event);
    // The second one is the following itself: on record once.
    expect(seen.map((event) => [event.act, event.result])).toEqual([
      ['team.add', 'done'],
      ['audit.query', 'done'],
      ['team.add', 'intended'],
      ['team.add', 'done'],
    ]);
    expect(seen.map((event) => event.requestId)).toEqual(['request-c', expect.any(String), 'request-d', 'request-d']);
  });
});

describe('what came from outside', () => {
  const hostile = '\u001b[2J\u001b]0;owned\u0007\r\u009b31m\u202egnp.exe\n2026-11-23 forged line';

  test('cannot move the cursor, colour, or forge a line', () => {
    const lines = eventLines({
      chain: 'gw/1',
      seq: 1,
      digest: 'd',
      event: {
        kind: hostile,
        path: hostile,
        callerRequestId: hostile,
        actor: { app: hostile },
        [hostile]: { x: hostile },
      },
    });
    expect(lines).toHaveLength(6);
    for (const line of lines) expect(line).not.toMatch(/[\p{Cc}\u202e]/u);
    expect(safeText('Ümläut 日本 — “ok”')).toBe('Ümläut 日本 — “ok”');
  });

  test('stays the same data in JSON, without a raw control character', () => {
    const text = safeJson({ [hostile]: hostile });
    expect(text).not.toMatch(/[\p{Cc}\u202e]/u);
    expect(JSON.parse(text)).toEqual({ [hostile]: hostile });
  });
});

test('times are local ISO times of the same instant', () => {
  expect(Date.parse(localTime(1_795_428_000_000))).toBe(1_795_428_000_000);
  expect(localTime('2026-11-23T10:00:00.999Z')).toMatch(/^2026-11-2\dT\d\d:\d\d:00[+-]\d\d:\d\d$/);
  expect(localTime('never')).toBe('?');
});
