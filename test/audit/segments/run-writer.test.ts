import { cpSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from '@jest/globals';
import { eventLine } from '../../../src/audit/event-line.ts';
import { type RunState, RunWriter } from '../../../src/audit/segments/run-writer.ts';
import { readChains } from '../read-chain.ts';
import { sampleIntent } from '../sample-events.ts';
import { scratchDirectory } from '../scratch-directory.ts';

function writerIn(directory: string, resume?: RunState, segmentEventsMax = 1000): RunWriter {
  return new RunWriter({
    directory,
    gatewayId: 'gw-1',
    startedAt: 1_790_000_000_000,
    segmentEventsMax,
    segmentAgeMsMax: 1e9,
    busyMsMax: 20,
    resume,
  });
}

function line(requestId: string): string {
  return eventLine(sampleIntent({ requestId }));
}

/** The request ids on record, and that the chain holds. */
function written(directory: string): unknown[] {
  const chains = readChains(directory);
  expect(chains.flatMap(({ faults }) => faults)).toEqual([]);
  return chains.flatMap(({ events }) =>
    events.filter(({ kind }) => kind === 'intent').map(({ requestId }) => requestId),
  );
}

describe('the writer of a run', () => {
  test('writes a batch once, however often it is sent', () => {
    using scratch = scratchDirectory();
    const writer = writerIn(scratch.path);
    const first = writer.write(1, line('a'));
    expect(writer.write(1, line('a'))).toEqual(first);
    writer.write(2, line('b'));
    writer.close();
    expect(written(scratch.path)).toEqual(['a', 'b']);
  });

  test('goes on where a thread died, whether or not its last batch was answered, also between two segments', () => {
    for (const heard of [1, 2]) {
      using scratch = scratchDirectory();
      const dead = writerIn(scratch.path, undefined, 3);
      const states = [1, 2].map((n) => dead.write(n, line(`${n}`)));
      dead.rest();
      dead.close();
      expect(readdirSync(scratch.path).filter((name) => name.endsWith('-2.db'))).toHaveLength(1);
      const next = writerIn(scratch.path, states[heard - 1]);
      next.write(2, line('2'));
      next.write(3, line('3'));
      next.close();
      expect(written(scratch.path)).toEqual(['1', '2', '3']);
    }
  });

  test('fails while another process holds the file, and writes again after', () => {
    using scratch = scratchDirectory();
    const writer = writerIn(scratch.path);
    writer.write(1, line('a'));
    const [name = ''] = readdirSync(scratch.path);
    using other = new DatabaseSync(join(scratch.path, name));
    other.exec('BEGIN EXCLUSIVE');
    for (let n = 0; n < 3; n += 1) expect(() => writer.write(2, line('b'))).toThrow(/locked/);
    other.exec('ROLLBACK');
    writer.write(2, line('b'));
    writer.close();
    expect(written(scratch.path)).toEqual(['a', 'b']);
    expect(readdirSync(scratch.path).filter((file) => file.endsWith('.db'))).toEqual([name]);
  });

  test('does not write on to a file that has no name any more, and gives that name to no other', () => {
    using scratch = scratchDirectory();
    const directory = join(scratch.path, 'audit');
    const writer = writerIn(directory);
    writer.write(1, line('a'));
    renameSync(directory, join(scratch.path, 'moved'));
    expect(() => writer.write(2, line('b'))).toThrow(/removed or replaced/);
    writer.write(2, line('b'));
    writer.close();
    for (const name of readdirSync(directory)) renameSync(join(directory, name), join(scratch.path, 'moved', name));
    expect(written(join(scratch.path, 'moved'))).toEqual(['a', 'b']);
  });

  test('leaves a file that was put back to an earlier state', () => {
    using scratch = scratchDirectory();
    const directory = join(scratch.path, 'audit');
    const writer = writerIn(directory);
    writer.write(1, line('a'));
    cpSync(directory, join(scratch.path, 'backup'), { recursive: true });
    writer.write(2, line('b'));
    rmSync(directory, { recursive: true });
    renameSync(join(scratch.path, 'backup'), directory);
    expect(() => writer.write(3, line('c'))).toThrow(/removed or replaced/);
    writer.write(3, line('c'));
    writer.close();
    const [chain] = readChains(directory);
    // What was taken away shows: the second segment goes on from a link that nobody has.
    expect(chain?.faults).toEqual([
      expect.stringContaining('goes on from another link'),
      'batch 4 does not follow 2',
      'link of batch 4 differs',
    ]);
  });

  test('goes on in the next segment when one is broken', () => {
    using scratch = scratchDirectory();
    const writer = writerIn(scratch.path);
    writer.write(1, line('a'));
    writer.close();
    const [name = ''] = readdirSync(scratch.path);
    truncateSync(join(scratch.path, name), 1000);
    for (let n = 0; n < 2; n += 1) expect(() => writer.write(2, line('b'))).toThrow();
    writer.write(2, line('b'));
    writer.close();
    rmSync(join(scratch.path, name));
    expect(readChains(scratch.path)[0]?.events).toMatchObject([{ requestId: 'b' }]);
  });

  test('a file that was begun and never got its tables is taken up', () => {
    using scratch = scratchDirectory();
    const dead = writerIn(scratch.path);
    const state = dead.write(1, line('a'));
    dead.close();
    new DatabaseSync(join(scratch.path, `${state.run}-2.db`)).close();
    const next = writerIn(scratch.path, state);
    next.write(2, line('b'));
    next.close();
    expect(written(scratch.path)).toEqual(['a', 'b']);
  });

  test('a run is named later than the one before it, also when the clock was set back', () => {
    using scratch = scratchDirectory();
    mkdirSync(join(scratch.path, 'x'));
    const first = writerIn(scratch.path);
    const before = first.write(1, line('a'));
    first.close();
    const second = new RunWriter({
      directory: scratch.path,
      gatewayId: 'gw-1',
      startedAt: 1000,
      segmentEventsMax: 10,
      segmentAgeMsMax: 1e9,
      busyMsMax: 20,
      resume: undefined,
    });
    const after = second.write(0, '');
    second.close();
    expect(after.run > before.run).toBe(true);
    const [, start] = readChains(scratch.path);
    expect(start?.events[0]?.['details']).toMatchObject({
      previousSeq: 2,
      previousLink: Buffer.from(before.head.link).toString('hex'),
    });
  });

  test('files are for their owner to write and their group to read', () => {
    using scratch = scratchDirectory();
    const writer = writerIn(join(scratch.path, 'audit'));
    writer.write(1, line('a'));
    expect(statSync(join(scratch.path, 'audit')).mode & 0o777).toBe(0o700);
    for (const name of readdirSync(join(scratch.path, 'audit'))) {
      expect(statSync(join(scratch.path, 'audit', name)).mode & 0o777).toBe(0o640);
    }
    writer.close();
  });
});
