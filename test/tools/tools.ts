/** A program that the tests drive and that npm does not bring. */
export interface Tool {
  /** By any of these names, the first that is there. */
  readonly programs: readonly [string, ...string[]];
  readonly debianPackage: string;
  /** Variable of the environment that names it. */
  readonly variable: string;
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

/** All of them. */
export const TOOLS: readonly Tool[] = [CHROMIUM, REDIS_SERVER];
