import { execFileSync, type SpawnOptions } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdtempSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { findProgram } from '../tools/find-program.ts';
import { POSTGRES } from '../tools/tools.ts';

/** Who runs the server. PostgreSQL refuses root; Debian's package brings a user for it. */
export interface PostgresProgram {
  readonly postgres: string;
  readonly as: Pick<SpawnOptions, 'uid' | 'gid'>;
  readonly ownerUid: number;
}

export function findPostgres(): PostgresProgram {
  const postgres = findProgram(POSTGRES);
  if (postgres === undefined) throw new Error('postgres is missing: npm run tools');
  const ownUid = process.getuid?.() ?? 0;
  if (ownUid !== 0) return { postgres, as: {}, ownerUid: ownUid };
  const [uid, gid] = ['-u', '-g'].map((which) => Number(execFileSync('id', [which, 'postgres']))) as [number, number];
  return { postgres, as: { uid, gid }, ownerUid: uid };
}

/** A directory of its own for a server, and in it a cluster (`data`) with one user, `gateway`, and no passwords. */
export function makeCluster(program: PostgresProgram): string {
  const directory = ownDirectory(program, 'postgres-');
  // `initdb` takes seconds, a copy of what it made a tenth of one.
  run(program, 'cp', ['-R', '-p', join(template(program), 'data'), join(directory, 'data')]);
  return directory;
}

/**
 * Kept between runs, for each release of PostgreSQL, and made whole before it takes its name: of two that make it at once
 * one wins, and the other takes what that one made.
 */
function template(program: PostgresProgram): string {
  const version = execFileSync(program.postgres, ['--version'], { encoding: 'utf8' }).replace(/\D+/g, '-');
  const path = join(tmpdir(), `mason-gateway-postgres${version}${program.ownerUid}`);
  if (existsSync(path)) return ownedBy(program, path);
  const fresh = ownDirectory(program, 'postgres-template-');
  const how = ['--no-sync', '--auth=trust', '--username=gateway', '--encoding=UTF8', '--wal-segsize=1'];
  // The order of an operator's server, not of bytes, which is what the store must not lean on. Older ones know no such order.
  const isOld = Number.parseInt(version.replace(/^-/, ''), 10) < 15;
  const order = isOld ? ['--locale=C'] : ['--locale=C', '--locale-provider=icu', '--icu-locale=en'];
  run(program, join(dirname(program.postgres), 'initdb'), [...how, ...order, '-D', join(fresh, 'data')]);
  try {
    renameSync(fresh, path);
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    if (!existsSync(path)) throw error;
  }
  return ownedBy(program, path);
}

/** The temporary directory is everybody's: what somebody else put there is not run. */
function ownedBy({ ownerUid }: PostgresProgram, path: string): string {
  if (statSync(path).uid !== ownerUid) throw new Error(`${path} belongs to another user: remove it`);
  return path;
}

function ownDirectory({ as }: PostgresProgram, prefix: string): string {
  const directory = mkdtempSync(join(tmpdir(), prefix));
  if (as.uid !== undefined && as.gid !== undefined) chownSync(directory, as.uid, as.gid);
  chmodSync(directory, 0o700);
  return directory;
}

function run({ as }: PostgresProgram, command: string, args: readonly string[]): void {
  // From a folder that the other user may stand in.
  execFileSync(command, args, { ...as, cwd: '/', stdio: ['ignore', 'ignore', 'inherit'] });
}
