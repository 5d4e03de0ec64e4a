import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A Lua script that Redis runs as one step. Its file says what its keys, arguments and answers are. */
export interface RedisScript {
  readonly name: string;
  readonly lua: string;
  /** By which Redis knows it once it has seen it. */
  readonly sha1: string;
  readonly numberOfKeys: number;
}

/**
 * Reads `scripts/<name>.lua`; the name ends with the number of keys: `endSessions-1`.
 *
 * @throws Error when there is no such file
 */
export function redisScript(name: string): RedisScript {
  const lua = readFileSync(join(import.meta.dirname, 'scripts', `${name}.lua`), 'utf8');
  const sha1 = createHash('sha1').update(lua).digest('hex');
  return { name, lua, sha1, numberOfKeys: Number(name.slice(name.lastIndexOf('-') + 1)) };
}
