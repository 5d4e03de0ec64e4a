import { z } from 'zod';
import { EFFECTS } from '../domain/effect.ts';
import { ROLES } from '../domain/role.ts';
import { ms } from './milliseconds.ts';
import { databaseSchema, listenerTls, redisSchema } from './servers-schema.ts';
import { sinksSchema } from './sinks-schema.ts';

const PORT = 'a port, 0 to 65535';

/** Variables give text. Not coerced: `null`, `true` and "" would become ports. */
const port = z
  .union(
    [
      z.int(),
      z
        .string()
        .regex(/^\d{1,5}$/)
        .transform(Number),
    ],
    { error: PORT },
  )
  .refine((value) => value >= 0 && value <= 65_535, { error: PORT });

const keptDays = z.int().min(1).max(36_500);

const operation = z.strictObject({
  id: z.string().regex(/^[a-z][a-z0-9.-]{0,63}$/, 'lower-case words with dots, such as "device.ping"'),
  method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']),
  path: z
    .string()
    .regex(
      /^\/v1(?:\/(?:[A-Za-z0-9._~-]+|\{[a-zA-Z]\w*\}))+$/,
      'a path below /v1 with {parameters} of one segment each',
    ),
  scope: z.string().regex(/^[a-z]+:[a-z]+$/, 'a scope such as "fleet:read"'),
  effect: z.enum(EFFECTS),
  paged: z.boolean().default(false),
  transfer: z.enum(['buffered', 'stream']).default('buffered'),
  confirm: z
    .string()
    .regex(/^[a-z]{1,32}$/)
    .optional(),
  targets: z
    .array(
      z.strictObject({
        kind: z.enum(['device', 'group']),
        from: z.union([z.strictObject({ path: z.string() }), z.strictObject({ body: z.string() })]),
      }),
    )
    .default([]),
});

/** What the walk relies on: what reads may be sent again, and what cannot be undone asks first. */
function checkOperation(
  { method, path, effect, transfer, confirm, targets }: z.output<typeof operation>,
  context: z.core.$RefinementCtx,
): void {
  const names = Array.from(path.matchAll(/\{(\w+)\}/g), ([, name]) => name);
  const wrong = (field: string, expected: string): void => {
    context.addIssue({ code: 'custom', path: [field], message: `expected ${expected}` });
  };
  if (new Set(names).size !== names.length) wrong('path', 'each {parameter} once');
  if ((method === 'GET') !== (effect === 'read')) {
    wrong('effect', method === 'GET' ? '"read" for GET' : `"change", "disruptive" or "destructive" for ${method}`);
  }
  if (transfer === 'stream' && targets.some(({ from }) => 'body' in from)) {
    wrong('targets', 'none in the body of what is streamed: it is not read here');
  }
  if (effect === 'destructive' && confirm === undefined) {
    wrong('confirm', 'the word that Gateway-Confirm must carry, for what is destructive');
  }
  for (const [index, { from }] of targets.entries()) {
    if (!('path' in from) || names.includes(from.path)) continue;
    const known = names.map((name) => `"${name}"`).join(', ') || 'none';
    context.addIssue({
      code: 'custom',
      path: ['targets', index, 'from', 'path'],
      message: `expected a {parameter} of the path: ${known}`,
    });
  }
}

const slug = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'the name of a team: lower-case letters, digits and "-"');

const webOrigin = z
  .string()
  .refine(
    (value) => /^https?:\/\/[a-z0-9.:[\]-]+$/.test(value) && URL.canParse(value) && new URL(value).origin === value,
    {
      error: 'an origin as browsers send it, such as "https://app.example.com": lower case, no path, no default port',
    },
  );

/** From what an identity provider says of somebody to roles here. */
const rule = z.strictObject({
  /** A claim of the ID token by name, `realm_access.roles` for one inside another, and the value that it is or has. */
  when: z.strictObject({ claim: z.string().min(1).max(256), is: z.string().min(1).max(256) }),
  role: z.enum(ROLES),
  teams: z.array(slug).default([]),
  scopes: z
    .array(z.string().regex(/^[a-z]+:[a-z]+$/, 'a scope such as "fleet:read"'))
    .min(1)
    .default(['account:owner']),
});

const provider = z.strictObject({
  id: z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'lower-case letters, digits and "-", at most 32'),
  name: z.string().min(1).max(80).optional(),
  issuer: z.url({ error: 'the issuer\'s address, such as "https://login.example.com"' }),
  clientId: z.string().min(1).max(256),
  clientSecretFile: z.string().optional(),
  scopes: z.array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/)).default(['openid', 'profile']),
  rules: z.array(rule).default([]),
});

/** `gateway.yaml`, with every default. Strict: a word that it does not know is an error, not a surprise later. */
export const configSchema = z.strictObject({
  gateway: z
    .strictObject({
      id: z
        .string()
        .regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'lower-case letters, digits and "-", at most 32')
        .default('gateway-1'),
      dataDir: z.string().default('./data'),
      logLevel: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
      shutdownMs: ms(0, 600_000).default(30_000),
    })
    .prefault({}),
  listen: z
    .strictObject({
      host: z.string().default('127.0.0.1'),
      port: port.default(8080),
      publicUrl: webOrigin.optional(),
      tls: listenerTls.optional(),
      privateHost: z.string().default('127.0.0.1'),
      privatePort: port.default(9090),
      trustedProxies: z
        .array(z.string().regex(/^[0-9A-Fa-f.:]+(?:\/\d{1,3})?$/, 'an address or a range such as "10.0.0.0/8"'))
        .default([]),
      headersBytesMax: z.int().min(4_096).max(65_536).default(16_384),
      headersMs: ms(100, 120_000).default(10_000),
      requestMs: ms(100, 600_000).default(60_000),
      keepAliveMs: ms(100, 600_000).default(75_000),
      connectionsMax: z.int().min(1).max(1_000_000).default(20_000),
      answerIdleMs: ms(100, 600_000).default(30_000),
    })
    .prefault({}),
  masterKey: z.strictObject({ file: z.string().optional(), allowSharedMode: z.boolean().default(false) }).prefault({}),
  mason: z
    .strictObject({
      baseUrl: z.string().optional(),
      privateHosts: z.array(z.string()).default([]),
      connectMs: ms(10, 120_000).default(5_000),
      firstByteMs: ms(10, 600_000).default(30_000),
      idleMs: ms(10, 600_000).default(30_000),
      totalMs: ms(10, 3_600_000).default(120_000),
      connectionsMax: z.int().min(1).max(10_000).default(256),
      answerHeadersBytesMax: z.int().min(4_096).max(262_144).default(32_768),
    })
    .prefault({}),
  calls: z
    .strictObject({
      bodyBytesMax: z.int().min(1_024).max(16_777_216).default(1_048_576),
      waitDefaultMs: ms(0, 3_600_000).default(30_000),
      waitMaxMs: ms(0, 3_600_000).default(120_000),
      verdictStaleMs: ms(0, 3_600_000).default(60_000),
    })
    .prefault({}),
  transfers: z
    .strictObject({
      bytesMax: z.int().min(1_024).max(1_099_511_627_776).default(2_147_483_648),
      idleMs: ms(100, 600_000).default(30_000),
      perTeamMax: z.int().min(1).max(1_000).default(8),
      atOnceMax: z.int().min(1).max(10_000).default(64),
    })
    .prefault({}),
  xray: z
    .strictObject({
      perTeamMax: z.int().min(1).max(10_000).default(100),
      perDeviceMax: z.int().min(1).max(100).default(2),
      upgradeMs: ms(100, 60_000).default(5_000),
      pingMs: ms(1_000, 600_000).default(30_000),
      idleMs: ms(1_000, 86_400_000).default(1_800_000),
      closeMs: ms(100, 30_000).default(2_000),
    })
    .prefault({}),
  lane: z
    .strictObject({
      engine: z.enum(['fair', 'bottleneck']).default('fair'),
      waitingCallsMax: z.int().min(1).max(1_000_000).default(10_000),
      waitingBytesMax: z.int().min(65_536).max(8_589_934_592).default(134_217_728),
      pauseMsMax: ms(100, 86_400_000).default(60_000),
    })
    .prefault({}),
  record: z
    .strictObject({
      intentMsMax: ms(10, 60_000).default(2_000),
      lagEventsMax: z.int().min(1_000).max(10_000_000).default(50_000),
      lagBytesMax: z.int().min(1_048_576).max(1_073_741_824).default(33_554_432),
      segmentEventsMax: z.int().min(100).max(10_000_000).default(100_000),
      checkpointMs: ms(100, 3_600_000).default(5_000),
      retention: z
        .strictObject({
          days: keptDays.optional(),
          bytesMax: z.int().min(1_048_576).optional(),
          teams: z.record(z.string(), z.strictObject({ days: keptDays })).default({}),
        })
        .prefault({}),
    })
    .prefault({}),
  sinks: sinksSchema.default([]),
  database: databaseSchema.prefault({}),
  redis: redisSchema.prefault({}),
  simulator: z.strictObject({ port: port.default(8090) }).prefault({}),
  sessions: z
    .strictObject({
      idleMs: ms(1_000, 604_800_000).default(1_800_000),
      absoluteMs: ms(1_000, 2_592_000_000).default(28_800_000),
      secretFile: z.string().optional(),
      perPersonMax: z.int().min(1).max(1_000).default(20),
      cookie: z
        .strictObject({ sameSite: z.enum(['strict', 'lax']).default('strict'), secure: z.boolean().optional() })
        .prefault({}),
    })
    .prefault({}),
  signIn: z
    .strictObject({
      providers: z.array(provider).max(16).default([]),
      badTriesPerMinuteMax: z.int().min(1).max(100_000).default(50),
    })
    .prefault({}),
  frontends: z
    .array(z.strictObject({ origin: webOrigin, teams: z.array(slug).min(1) }))
    .max(100)
    .default([]),
  operations: z.array(operation.superRefine(checkOperation)).default([]),
});

export type ConfigInput = z.infer<typeof configSchema>;
