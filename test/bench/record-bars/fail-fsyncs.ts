import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { startChild } from '../machine/scratch.ts';

const RULE = ['-e', 'trace=fsync,fdatasync', '-e', 'inject=fsync,fdatasync:error=EIO'];

/** Lets every flush to the disk of a process fail. @returns what ends it; undefined where strace is missing or may not attach */
export async function failFsyncs(pid: number): Promise<(() => Promise<void>) | undefined> {
  const strace = startChild('strace', ['-f', '-p', String(pid), '-o', '/dev/null', ...RULE], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const { stderr } = strace.process;
  const gone = once(strace.process, 'close').catch(() => []);
  const said = stderr === null ? [''] : await Promise.race([once(createInterface(stderr), 'line'), gone]);
  if (!/attached/.test(String(said[0]))) {
    await strace.end();
    return undefined;
  }
  return () => strace.end();
}
