import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { findProgram } from './find-program.ts';
import { TOOLS, type Tool } from './tools.ts';

const APT_MS_MAX = 600_000;

/** Brings the programs that the tests drive: those on the PATH, else Debian's packages, else it says what to install. */
function bringTools(): number {
  const missing = TOOLS.filter((tool) => findProgram(tool) === undefined);
  if (missing.length === 0) return 0;
  const packages = missing.map(({ debianPackage }) => debianPackage);
  const isNamed = missing.some(({ variable }) => process.env[variable] !== undefined);
  if (isNamed || !mayInstall()) return tell(missing);
  console.log(`installing for the tests: ${packages.join(', ')}`);
  const ran =
    apt('install', '-y', '--no-install-recommends', ...packages) ||
    (apt('update') && apt('install', '-y', '--no-install-recommends', ...packages));
  return ran && missing.every((tool) => findProgram(tool) !== undefined) ? 0 : tell(missing);
}

/** Debian and its children, as root: anybody else is asked instead of surprised. */
function mayInstall(): boolean {
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return false;
  return /^ID(?:_LIKE)?=.*debian/m.test(readFileSync('/etc/os-release', 'utf8'));
}

function apt(...args: string[]): boolean {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const { status } = spawnSync('apt-get', ['-q', ...args], {
    env,
    timeout: APT_MS_MAX,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return status === 0;
}

function tell(missing: readonly Tool[]): number {
  for (const { programs, debianPackage, variable } of missing) {
    console.error(
      `the tests need ${programs[0]}: install it (Debian: apt-get install ${debianPackage}), or name it in ${variable}`,
    );
  }
  return 1;
}

process.exitCode = bringTools();
