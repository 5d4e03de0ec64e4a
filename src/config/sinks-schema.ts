import { z } from 'zod';
import { ms } from './milliseconds.ts';

const common = {
  id: z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'lower-case letters, digits and "-", at most 32'),
  format: z.enum(['ndjson', 'ocsf'], { error: 'one of ndjson, ocsf' }).default('ndjson'),
};

const sink = z.discriminatedUnion('kind', [
  z.strictObject({
    ...common,
    kind: z.literal('file'),
    path: z.string().min(1).max(4_096),
    rotateBytes: z.int().min(65_536).max(1_099_511_627_776).default(268_435_456),
    rotateMs: ms(60_000, 2_147_483_647).default(86_400_000),
    keep: z.int().min(1).max(10_000).default(30),
  }),
  z.strictObject({
    ...common,
    kind: z.literal('webhook'),
    url: z.string().refine(isHttps, { error: 'an address "https://…" without user, password and fragment' }),
    secretFile: z.string().min(1),
    caFile: z.string().optional(),
    privateHosts: z.array(z.string()).default([]),
    batchBytesMax: z.int().min(16_384).max(16_777_216).default(262_144),
    timeoutMs: ms(100, 120_000).default(10_000),
  }),
  z.strictObject({ ...common, kind: z.literal('stdout') }),
]);

/** Where the record is delivered beside being kept. */
export const sinksSchema = z
  .array(sink)
  .max(16)
  .refine((sinks) => new Set(sinks.map(({ id }) => id)).size === sinks.length, { error: 'each id once' });

function isHttps(value: string): boolean {
  const url = URL.parse(value);
  return url !== null && url.protocol === 'https:' && url.username === '' && url.password === '' && url.hash === '';
}
