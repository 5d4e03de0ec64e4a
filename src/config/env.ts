/** The variables that the gateway reads; nothing else of the environment decides anything about it. */
export const VARIABLES = [
  'GATEWAY_HOST',
  'GATEWAY_PORT',
  'GATEWAY_PUBLIC_URL',
  'GATEWAY_PRIVATE_HOST',
  'GATEWAY_PRIVATE_PORT',
  'GATEWAY_DATA_DIR',
  'GATEWAY_CONFIG',
  'GATEWAY_MASTER_KEY_FILE',
  'GATEWAY_ID',
  'GATEWAY_LOG_LEVEL',
  'MASON_BASE_URL',
  'DATABASE_URL',
  'REDIS_URL',
  'SIMULATOR_PORT',
] as const;

/** Values by name; unset and empty are the same: absent. */
export type Env = Readonly<Partial<Record<(typeof VARIABLES)[number], string>>>;

/** A variable that a file of the operator's refers to by name, for a secret; undefined where it is not set, or empty. */
export function readVariable(name: string, source: NodeJS.ProcessEnv = process.env): string | undefined {
  return source[name] || undefined;
}

/** With {@link readVariable} the only place that reads the environment of the process. */
export function readEnv(source: NodeJS.ProcessEnv = process.env): Env {
  const env: Partial<Record<(typeof VARIABLES)[number], string>> = {};
  for (const name of VARIABLES) {
    const value = source[name];
    if (value !== undefined && value !== '') env[name] = value;
  }
  return env;
}
