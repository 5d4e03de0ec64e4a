import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, createReadStream, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from '@jest/globals';
import { openLog } from '../../src/call/open-log.ts';

const LINES = 5_000;
const HELD_BYTES_MAX = 100_000;

test('a log that nobody reads fills no memory: lines beyond a bound are dropped, and how many is told when somebody reads', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'log-'));
  const path = join(folder, 'pipe');
  execFileSync('mkfifo', [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  try {
    const { log } = openLog('info', writer, HELD_BYTES_MAX);
    const words = 'x'.repeat(200);
    for (let n = 0; n < LINES; n++) log.info({ n, words }, 'line');
    let got = 0;
    let dropped: number | undefined;
    const lines = createInterface(createReadStream(path));
    lines.on('line', (text) => {
      const line = JSON.parse(text) as { n?: number; lines?: number };
      if (line.n !== undefined) got++;
      dropped ??= line.lines;
      if (dropped !== undefined) lines.close();
    });
    await once(lines, 'close');
    expect(got).toBeLessThan((HELD_BYTES_MAX + 65_536) / words.length);
    expect(got).toBeGreaterThan(HELD_BYTES_MAX / 400);
    expect(got + (dropped ?? 0)).toBe(LINES);
  } finally {
    closeSync(writer);
    closeSync(reader);
    rmSync(folder, { recursive: true });
  }
});
