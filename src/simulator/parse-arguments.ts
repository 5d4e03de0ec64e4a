import { parseArgs } from 'node:util';
import { LIMITER_KINDS } from './limit/make-limiter.ts';
import {
  DEFAULT_OPTIONS,
  LIMIT_SCOPES,
  type LimitOptions,
  RATE_HEADER_DIALECTS,
  RATE_RESET_FORMS,
  RETRY_AFTER_FORMS,
  type SimulatorOptions,
} from './options.ts';
import { parseKey, readKeyFile } from './parse-keys.ts';
import { choice, parseLimit, parseOrigin, parseRange, UsageError, wholeNumber } from './parse-values.ts';

export interface SimulatorCommand {
  readonly options: SimulatorOptions;
  readonly json: boolean;
  readonly untilStdinEnds: boolean;
}

const PORT_DEFAULT = 8090;
const text = { type: 'string' } as const;
const flag = { type: 'boolean', default: false } as const;
const many = { type: 'string', multiple: true, default: [] as string[] } as const;

const OPTIONS = {
  host: { ...text, default: DEFAULT_OPTIONS.host },
  port: text,
  json: flag,
  'until-stdin-ends': flag,
  devices: text,
  groups: text,
  seed: text,
  key: many,
  'key-file': text,
  limit: text,
  'limit-kind': text,
  'limit-depth': text,
  'limit-scope': text,
  'retry-after': text,
  'rate-headers': text,
  'rate-reset': text,
  latency: text,
  jitter: text,
  'keep-requests': text,
  'keep-alive-ms': text,
  'example-gateway': text,
  help: { ...flag, short: 'h' },
} as const;

/** Say nothing without a limit. */
const LIMIT_ONLY = ['limit-kind', 'limit-depth', 'limit-scope', 'retry-after', 'rate-headers', 'rate-reset'] as const;

type Values = ReturnType<typeof parse>;

/** Reads the command line. Throws a UsageError of one line for what it cannot accept. */
export function parseArguments(argv: readonly string[]): SimulatorCommand | 'help' {
  const values = parse(argv);
  if (values.help) return 'help';
  const file = values['key-file'];
  const keys = [...values.key.map(parseKey), ...(file === undefined ? [] : readKeyFile(file))];
  const limit = readLimit(values);
  const { latency, jitter, 'example-gateway': gateway } = values;
  const options: SimulatorOptions = {
    host: values.host,
    port: wholeNumber('--port', values.port, 0, 65_535, PORT_DEFAULT),
    seed: wholeNumber('--seed', values.seed, 0, 0xffff_ffff, DEFAULT_OPTIONS.seed),
    devices: wholeNumber('--devices', values.devices, 0, 10_000_000, DEFAULT_OPTIONS.devices),
    groups: wholeNumber('--groups', values.groups, 1, 100_000, DEFAULT_OPTIONS.groups),
    keys: keys.length > 0 ? keys : DEFAULT_OPTIONS.keys,
    ...(limit && { limit }),
    retryAfter: choice('--retry-after', values['retry-after'], RETRY_AFTER_FORMS, DEFAULT_OPTIONS.retryAfter),
    rateHeaders: choice('--rate-headers', values['rate-headers'], RATE_HEADER_DIALECTS, DEFAULT_OPTIONS.rateHeaders),
    rateReset: choice('--rate-reset', values['rate-reset'], RATE_RESET_FORMS, DEFAULT_OPTIONS.rateReset),
    latency: latency === undefined ? DEFAULT_OPTIONS.latency : parseRange('--latency', latency),
    jitter: jitter === undefined ? DEFAULT_OPTIONS.jitter : parseRange('--jitter', jitter),
    keepRequests: wholeNumber('--keep-requests', values['keep-requests'], 0, 1_000_000, DEFAULT_OPTIONS.keepRequests),
    keepAliveMs: wholeNumber('--keep-alive-ms', values['keep-alive-ms'], 1, 86_400_000, DEFAULT_OPTIONS.keepAliveMs),
    ...(gateway !== undefined && { gatewayUrl: parseOrigin('--example-gateway', gateway) }),
  };
  return { options, json: values.json, untilStdinEnds: values['until-stdin-ends'] };
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, strict: true, allowPositionals: false }).values;
  } catch (error) {
    // Node's advice runs over several lines.
    throw new UsageError((error as Error).message.replaceAll('\n', ' '));
  }
}

function readLimit(values: Values): LimitOptions | undefined {
  const { limit } = values;
  if (limit === undefined) {
    for (const name of LIMIT_ONLY) {
      if (values[name] !== undefined) throw new UsageError(`--${name}: expected --limit besides, got none`);
    }
    return undefined;
  }
  const kind = choice('--limit-kind', values['limit-kind'], LIMITER_KINDS, 'fixed');
  const depth = values['limit-depth'];
  if (depth !== undefined && kind !== 'token-bucket') {
    throw new UsageError(`--limit-depth: expected --limit-kind token-bucket besides, got ${kind}`);
  }
  return {
    ...parseLimit('--limit', limit),
    kind,
    scope: choice('--limit-scope', values['limit-scope'], LIMIT_SCOPES, 'key'),
    ...(depth !== undefined && { depth: wholeNumber('--limit-depth', depth, 1, 1_000_000, 1) }),
  };
}
