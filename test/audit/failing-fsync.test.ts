import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { expect, test } from '@jest/globals';
import { readChains } from './read-chain.ts';
import { scratchDirectory } from './scratch-directory.ts';
import { until } from './until.ts';

const CHILD = new URL('./intending-child.ts', import.meta.url).pathname;
const FLUSHES = 'fsync,fdatasync';
/** Of the child's, some in the middle fail, in each of its threads; then the disk is well again. */
const FAILING = ['-e', `trace=${FLUSHES}`, '-e', `inject=${FLUSHES}:error=EIO:when=20..40`];
/** -D: what is started is the child itself, and may be killed. */
const STRACE = ['-f', '-D', '-qq', '-o', '/dev/null', ...FAILING];

// Where nothing may be traced, disks that are full stand for those that fail.
const testTraced = spawnSync('strace', [...STRACE, 'true']).status === 0 ? test : test.skip;

testTraced(
  'a disk that cannot flush: changes are refused, go on by themselves, and what was promised is there',
  async () => {
    using scratch = scratchDirectory();
    const child = spawn('strace', [...STRACE, process.execPath, CHILD, scratch.path, '100000'], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { PATH: process.env['PATH'] },
    });
    try {
      const said: string[] = [];
      createInterface(child.stdout).on('line', (line) => said.push(line));
      await until(() => said.includes('-record_unavailable'), 'an intent is refused');
      const refusedAt = said.lastIndexOf('-record_unavailable');
      await until(() => said.slice(refusedAt).some((line) => line.startsWith('+')), 'intents are durable again');
      const closed = once(child, 'close');
      child.kill('SIGKILL');
      await closed;
      const promised = said.filter((line) => line.startsWith('+')).map((line) => line.slice(1));
      const chains = readChains(scratch.path);
      expect(chains.flatMap(({ faults }) => faults)).toEqual([]);
      const found = new Set(chains.flatMap(({ events }) => events.map(({ requestId }) => requestId)));
      expect(promised.filter((id) => !found.has(id))).toEqual([]);
      expect(said.indexOf('-record_unavailable')).toBeGreaterThan(0);
    } finally {
      child.kill('SIGKILL');
    }
  },
);
