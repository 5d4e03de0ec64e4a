import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { afterEach, expect, test } from '@jest/globals';
import { openRecord } from '../../src/audit/open-record.ts';
import { systemClock } from '../../src/domain/clock.ts';
import { readChains, type StoredChain } from './read-chain.ts';
import { scratchDirectory } from './scratch-directory.ts';
import { until } from './until.ts';

const children = new Set<ChildProcess>();

afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  children.clear();
});

/** Starts a child that intends without end; `limitKibibytes` bounds each file that it writes. */
function intendingChild(
  directory: string,
  segmentEventsMax: number,
  limitKibibytes?: number,
): { child: ChildProcess; said: string[] } {
  const script = new URL('./intending-child.ts', import.meta.url).pathname;
  const limit = limitKibibytes === undefined ? '' : `ulimit -S -f ${limitKibibytes} && `;
  // Unlike dash, bash counts in units of 1,024 bytes.
  const child = spawn(
    'bash',
    ['-c', `${limit}exec "$0" "$@"`, process.execPath, script, directory, String(segmentEventsMax)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { PATH: process.env['PATH'] },
    },
  );
  children.add(child);
  const said: string[] = [];
  if (child.stdout !== null) createInterface(child.stdout).on('line', (line) => said.push(line));
  return { child, said };
}

async function kill(child: ChildProcess): Promise<void> {
  const closed = once(child, 'close');
  child.kill('SIGKILL');
  await closed;
  children.delete(child);
}

function durable(said: readonly string[]): string[] {
  return said.filter((line) => line.startsWith('+')).map((line) => line.slice(1));
}

function requestIds(chains: readonly StoredChain[]): Set<unknown> {
  return new Set(chains.flatMap(({ events }) => events.map(({ requestId }) => requestId)));
}

test('killed at any moment, every intent that settled is on record, and the next run names the head', async () => {
  using scratch = scratchDirectory();
  const promised: string[] = [];
  for (const intents of [1, 150, 400]) {
    const { child, said } = intendingChild(scratch.path, 100);
    await until(() => durable(said).length >= intents, `${intents} intents are durable`);
    await kill(child);
    promised.push(...durable(said));
  }
  const record = await openRecord({
    directory: scratch.path,
    gatewayId: 'gw-child',
    clock: systemClock,
    intentMsMax: 5_000,
    lagEventsMax: 10,
    lagBytesMax: 10_000,
  });
  await record.close();
  const chains = readChains(scratch.path);
  expect(chains.flatMap(({ faults }) => faults)).toEqual([]);
  const found = requestIds(chains);
  expect(promised.filter((id) => !found.has(id))).toEqual([]);
  const named = chains.map(({ events }) => events[0]?.['details']);
  const heads = chains.map(({ chain, head }) => ({
    previousChain: chain,
    previousSeq: head.seq,
    previousLink: head.link,
  }));
  expect(named).toHaveLength(4);
  for (let n = 1; n < 4; n += 1) expect(named[n]).toMatchObject(heads[n - 1] ?? {});
});

test('when files cannot grow, changes are refused, and what was promised is there', async () => {
  using scratch = scratchDirectory();
  // Some ten commits fill a log of 96 KiB, and some hundred events the file.
  const { child, said } = intendingChild(scratch.path, 10_000, 96);
  await until(() => said.includes('-record_unavailable'), 'an intent is refused');
  const refusedAt = said.indexOf('-record_unavailable');
  await until(() => durable(said.slice(refusedAt)).length > 0, 'intents are durable again');
  await until(() => readdirSync(scratch.path).some((name) => name.endsWith('-2.db')), 'it goes on in another file');
  await kill(child);
  const chains = readChains(scratch.path);
  expect(chains.flatMap(({ faults }) => faults)).toEqual([]);
  const found = requestIds(chains);
  expect(durable(said).filter((id) => !found.has(id))).toEqual([]);
});

test('on a full disk changes are refused, and go on when there is room', async () => {
  using scratch = scratchDirectory();
  const mounted = mount(scratch.path);
  // Where nothing may be mounted, the test above stands for this one: its files cannot grow either.
  if (!mounted) return;
  try {
    writeFileSync(`${scratch.path}/ballast`, Buffer.alloc(500_000));
    const { child, said } = intendingChild(scratch.path, 100_000);
    await until(() => said.includes('-record_unavailable'), 'the disk is full');
    rmSync(`${scratch.path}/ballast`);
    const refusedAt = said.length;
    await until(() => durable(said.slice(refusedAt)).length > 0, 'intents are durable again');
    await kill(child);
    const chains = readChains(scratch.path);
    expect(chains.flatMap(({ faults }) => faults)).toEqual([]);
    const found = requestIds(chains);
    expect(durable(said).filter((id) => !found.has(id))).toEqual([]);
  } finally {
    execFileSync('umount', ['-l', scratch.path]);
  }
});

function mount(directory: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', directory], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
