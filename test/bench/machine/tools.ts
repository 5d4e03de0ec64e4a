import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const BENCH = dirname(fileURLToPath(new URL('.', import.meta.url)));
/** Debian's packages by the command that is needed. */
const PACKAGES = { nginx: 'nginx-light', wrk: 'wrk', taskset: 'util-linux' } as const;

/**
 * Everything that the bench needs beside the product: commands of the machine, and the peers' packages.
 *
 * @throws Error that says exactly what to install
 */
export function provideTools(): void {
  if (process.platform !== 'linux') throw new Error('the bench pins processes to processors: it needs Linux');
  if (availableParallelism() < 2)
    throw new Error('the bench needs two processors: one for the proxy, one for the rest');
  const missing = lacking();
  if (missing.length > 0) install(missing.map((command) => PACKAGES[command]));
  providePeers();
}

/** The peers' packages, as the bench's own `package.json` names them. */
export function providePeers(): void {
  const { dependencies } = JSON.parse(readFileSync(`${BENCH}/package.json`, 'utf8')) as { dependencies: object };
  const isThere = (name: string): boolean => existsSync(`${BENCH}/node_modules/${name}/package.json`);
  if (Object.keys(dependencies).every(isThere)) return;
  console.log('installing the peers: npm ci --prefix test/bench');
  execFileSync('npm', ['ci', '--prefix', BENCH], { stdio: ['ignore', 'ignore', 'inherit'] });
}

function lacking(): (keyof typeof PACKAGES)[] {
  return (Object.keys(PACKAGES) as (keyof typeof PACKAGES)[]).filter((command) => !isHere(command));
}

function isHere(command: string): boolean {
  const places = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin'];
  return places.some((place) => existsSync(`${place}/${command}`));
}

function install(packages: readonly string[]): void {
  const command = `apt-get install -y ${packages.join(' ')}`;
  if (process.getuid?.() === 0 && isHere('apt-get')) {
    console.log(`installing what is missing: ${command}`);
    try {
      const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
      execFileSync('apt-get', ['update', '-qq'], { stdio: ['ignore', 'ignore', 'inherit'], env });
      execFileSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], {
        stdio: ['ignore', 'ignore', 'inherit'],
        env,
      });
    } catch {
      // Whether it worked shows below.
    }
  }
  const still = lacking();
  if (still.length === 0) return;
  throw new Error(`missing: ${still.join(', ')}. Install (Debian, Ubuntu): sudo ${command}`);
}
