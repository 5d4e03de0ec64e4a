import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MEMORY = '/dev/shm';

/** A new directory that goes with its scope; `memory` for tests of thousands of commits, which need no disk. */
export function scratchDirectory(on: 'disk' | 'memory' = 'disk'): { path: string; [Symbol.dispose](): void } {
  const parent = on === 'memory' && existsSync(MEMORY) ? MEMORY : tmpdir();
  const path = mkdtempSync(join(parent, 'mason-gateway-record-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}
