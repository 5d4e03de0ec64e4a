/** A program that the tests drive and that npm does not bring. */
export interface Tool {
  /** By any of these names, the first that is there. */
  readonly programs: readonly [string, ...string[]];
  readonly debianPackage: string;
  /** Variable of the environment that names it. */
  readonly variable: string;
  /** A folder with a folder a release, each with its programs in `bin`: looked into when it is not on the PATH, newest first. */
  readonly releases?: string;
}

export const CHROMIUM: Tool = {
  programs: ['chromium', 'chromium-browser', 'google-chrome'],
  debianPackage: 'chromium',
  variable: 'CHROMIUM',
};

export const REDIS_SERVER: Tool = {
  programs: ['redis-server', 'valkey-server'],
  debianPackage: 'redis-server',
  variable: 'REDIS_SERVER',
};

/** Its `initdb` is looked for beside it. */
export const POSTGRES: Tool = {
  programs: ['postgres'],
  debianPackage: 'postgresql',
  variable: 'POSTGRES',
  releases: '/usr/lib/postgresql',
};

/** All of them. */
export const TOOLS: readonly Tool[] = [CHROMIUM, REDIS_SERVER, POSTGRES];
