import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { SegmentArchive } from '../../src/audit/segments/segment-archive.ts';
import { storyLines } from '../../src/cli/call-story.ts';
import type { OutcomeEvent, StoredEvent } from '../../src/domain/event.ts';
import { tokenDigest } from '../../src/vault/tokens.ts';
import { sampleIntent, sampleOutcome } from '../audit/sample-events.ts';
import { sampleRuns } from '../audit/sample-runs.ts';
import { OPERATOR } from '../manage/management.ts';
import { type CommandLine, openCommandLine } from './command-line.ts';

let cli: CommandLine;
let archive: SegmentArchive;
let gateway: { close(): Promise<void> };

beforeAll(async () => {
  cli = await openCommandLine({
    openKeptRecord: async () => ({
      archive,
      keys: cli.management.signer.keys(),
      [Symbol.asyncDispose]: async () => {},
    }),
  });
  const directory = join(cli.directory, 'audit');
  sampleRuns(directory, cli.management.signer);
  archive = new SegmentArchive(directory);
  cli.management.record.archive = archive;
  gateway = await cli.startGateway();
});

afterAll(async () => {
  await gateway.close();
  await cli.close();
});

function file(name: string): string {
  return join(cli.directory, name);
}

describe('audit export', () => {
  test('comes through the running gateway, is on record before and after, and verifies with the key from "audit keys"', async () => {
    const ran = await cli.run(['audit', 'export', '--out', file('whole.ndjson')]);
    expect(ran).toMatchObject({ code: 0, out: expect.stringContaining('Exported') });
    expect(statSync(file('whole.ndjson')).mode & 0o777).toBe(0o600);
    const events = readFileSync(file('whole.ndjson'), 'latin1').match(/,"event":/g)?.length ?? 0;
    expect(events).toBeGreaterThan(100);
    expect(cli.management.record.events.slice(-2)).toMatchObject([
      { act: 'audit.export', result: 'intended', details: { format: 'ndjson' } },
      { act: 'audit.export', result: 'done', details: { events } },
    ]);
    const { out } = await cli.run(['audit', 'keys']);
    writeFileSync(file('signing.pem'), out);
    const verified = await cli.run([
      'audit',
      'verify',
      '--export',
      file('whole.ndjson'),
      '--public-key',
      file('signing.pem'),
    ]);
    expect(verified.code).toBe(0);
    expect(verified.out).toMatch(/^Nothing was found altered\.\n\nProven:\n {2}\d+ events in \d+ batches of 3 chains/);
    expect(verified.out).toMatch(/Not proven:\n {2}No event of gw-1\/\w+ is witnessed by anything outside\./);
    expect(verified.out).not.toContain('--public-key');
  });

  test('a file that is there is left alone, and one that was cut short has no name', async () => {
    writeFileSync(file('mine.txt'), 'mine');
    expect(await cli.run(['audit', 'export', '--out', file('mine.txt')])).toMatchObject({ code: 2 });
    expect(readFileSync(file('mine.txt'), 'utf8')).toBe('mine');
    cli.management.record.archive = Object.assign(Object.create(archive), {
      async *batches(chain: string) {
        yield* archive.batches(chain, 0);
        // The first pieces are on their way by then.
        if (chain === (await archive.chains()).at(-1)?.chain) throw new Error('the disk is gone');
      },
      chains: () => archive.chains(),
      checkpoints: () => archive.checkpoints('none'),
      newest: () => archive.newest(),
    });
    const ran = await cli.run(['audit', 'export', '--out', file('cut.ndjson')]).finally(() => {
      cli.management.record.archive = archive;
    });
    expect(ran.code).toBe(1);
    expect(statSync(file('cut.ndjson.part')).size).toBeGreaterThan(50_000);
    expect(existsSync(file('cut.ndjson'))).toBe(false);
    expect(cli.management.record.acts().at(-1)).toBe('audit.export failed internal');
  });

  test('what cannot be put on record is not told', async () => {
    cli.management.record.broken = true;
    const ran = await cli.run(['audit', 'export']).finally(() => {
      cli.management.record.broken = false;
    });
    expect(ran).toMatchObject({ code: 1, out: '' });
  });

  test('of a leaked token: its digest is asked for, never the token', async () => {
    const { acts, record } = cli.management;
    await acts['team.add'](OPERATOR, { slug: 'ops' });
    await acts['app.add'](OPERATOR, { team: 'ops', name: 'kiosk' });
    const made = await acts['token.create'](OPERATOR, { team: 'ops', app: 'kiosk', scopes: ['fleet:read'] });
    writeFileSync(file('leaked.txt'), `${made.token}\n`);
    expect((await cli.run(['audit', 'query', '--token-file', file('leaked.txt')])).code).toBe(0);
    expect(record.queries.at(-1)?.filter).toEqual({ tokenId: made.id });
    expect(record.events.at(-1)?.details).toMatchObject({ tokenSha256: tokenDigest(made.token) });
    expect(await cli.run(['audit', 'query', '--token', made.token])).toMatchObject({
      code: 2,
      err: expect.not.stringContaining(made.token),
    });
    writeFileSync(file('leaked.txt'), 'no token');
    expect((await cli.run(['audit', 'query', '--token-file', file('leaked.txt')])).code).toBe(2);
  });

  test('filters reach the record by all their names', async () => {
    const words = '--key c0ffee --person per_1 --group shop --error-source mason --kind outcome --token tok_1';
    await cli.run(['audit', 'export', ...words.split(' ')]);
    expect(cli.management.record.exports.at(-1)).toMatchObject({
      filter: {
        keyFingerprint: 'c0ffee',
        person: 'per_1',
        group: 'shop',
        errorSource: 'mason',
        kind: 'outcome',
        tokenId: 'tok_1',
      },
    });
    expect(cli.management.record.events.at(-1)?.details).toMatchObject({
      keyFingerprint: 'c0ffee',
      group: 'shop',
      errorSource: 'mason',
    });
  });
});

describe('audit verify', () => {
  test('reads what is kept here, says in words and in JSON what it found, and fails', async () => {
    expect(await cli.run(['audit', 'verify'])).toMatchObject({
      code: 0,
      out: expect.stringContaining('give --public-key'),
    });
    await cli.run(['audit', 'export', '--out', file('to-alter.ndjson')]);
    const text = readFileSync(file('to-alter.ndjson'), 'latin1');
    writeFileSync(file('to-alter.ndjson'), text.replace('"status":404', '"status":200'), 'latin1');
    const words = ['audit', 'verify', '--export', file('to-alter.ndjson')];
    const ran = await cli.run(words);
    expect(ran.code).toBe(1);
    expect(ran.err).toMatch(/NOT AS IT WAS {2}chain gw-1\/\w+, event \d+: its bytes are not those that were written/);
    const json = await cli.run([...words, '--json']);
    expect(json.code).toBe(1);
    expect(JSON.parse(json.out)).toMatchObject({ ok: false, findingsTotal: 2 });
    expect((await cli.run(['audit', 'verify', '--export', file('nothing')])).code).toBe(2);
  });

  test('after "audit keys --rotate" the new key signs, and the first one still proves all', async () => {
    const first = (await cli.run(['audit', 'keys'])).out;
    writeFileSync(file('first.pem'), first);
    const rotated = await cli.run(['audit', 'keys', '--rotate']);
    expect(rotated.out.match(/BEGIN PUBLIC KEY/g)).toHaveLength(2);
    expect(rotated.out).toMatch(/Key \w+, since \S+, signed by \w+; it signs now/);
    await cli.run(['audit', 'export', '--out', file('rotated.ndjson')]);
    const words = ['audit', 'verify', '--export', file('rotated.ndjson'), '--public-key', file('first.pem')];
    expect((await cli.run(words)).code).toBe(0);
  });
});

describe('audit show', () => {
  const stored = (event: object): StoredEvent => ({ chain: 'gw/1', seq: 1, digest: 'd', event: { ...event } });
  const attempts: OutcomeEvent['attempts'] = [
    { startMs: 20, durationMs: 30, status: 429 },
    { startMs: 1_020, durationMs: 40, failure: 'mason_timeout' },
  ];

  test('tells the story of a change: who, what, each attempt, the end', () => {
    const intent = sampleIntent({ targets: [] });
    const end = sampleOutcome({
      ...intent,
      kind: 'outcome',
      at: intent.at + 1_100,
      result: 'unknown',
      status: 504,
      errorCode: 'mason_timeout',
      attempts,
      targets: undefined,
    });
    const story = storyLines([
      stored({ ...intent, targets: { count: 2, list: [{ kind: 'device', name: 'SERIAL\u001b[31m' }] } }),
      stored(end),
    ]).join('\n');
    expect(story).toMatch(
      /kiosk of ops at 192\.0\.2\.7 asked for device\.reboot \(disruptive\), POST \/v1\/default\/device\/reboot, on 2 targets: device SERIAL\ufffd\[31m and others\./,
    );
    expect(story).toMatch(
      /on record before anything was sent\.\n {2}Attempt 1, 20 ms after the call came: Mason answered 429, after 30 ms\.\n {2}Attempt 2, 1020 ms after/,
    );
    expect(story).toMatch(
      /nobody knows what became of it \(status 504, mason_timeout\)\.\n {2}In the line 1 ms, at Mason 40 ms/,
    );
  });

  test('of a call without an end it says that it has none', () => {
    expect(storyLines([stored(sampleIntent())]).at(-1)).toMatch(/not on record/);
  });
});
