import { z } from 'zod';
import { ms } from './milliseconds.ts';

const redisHosts = z
  .array(z.string().regex(/^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:]+\]):\d{1,5}$/, 'host and port, such as "redis-1:6379"'))
  .min(1)
  .max(100);

const tlsFiles = z.strictObject({
  caFile: z.string().optional(),
  certFile: z.string().optional(),
  keyFile: z.string().optional(),
});

/** `url` is read with care and apart: it may hold a password. */
export const databaseSchema = z.strictObject({
  url: z.string().optional(),
  urlFile: z.string().optional(),
  user: z.string().min(1).max(256).optional(),
  passwordFile: z.string().optional(),
  tls: tlsFiles.optional(),
  connectionsMax: z.int().min(3).max(1_000).default(10),
  connectMs: ms(10, 10_000).default(1_000),
});

/** `url` is read with care and apart: it may hold a password. */
export const redisSchema = z.strictObject({
  url: z.string().optional(),
  urlFile: z.string().optional(),
  sentinel: z.strictObject({ name: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/), hosts: redisHosts }).optional(),
  cluster: redisHosts.optional(),
  user: z.string().min(1).max(256).optional(),
  passwordFile: z.string().optional(),
  tls: tlsFiles.optional(),
  keyPrefix: z
    .string()
    .regex(/^[\x21-\x7a]{0,64}$/, 'at most 64 letters, digits and signs without braces')
    .default('mason-gateway:'),
  commandMs: ms(10, 500).default(500),
  connectMs: ms(10, 10_000).default(1_000),
});

/** For a listener without a load balancer before it. */
export const listenerTls = z.strictObject({
  certFile: z.string().min(1),
  keyFile: z.string().min(1),
  minVersion: z.enum(['TLSv1.2', 'TLSv1.3']).default('TLSv1.2'),
  allowSharedMode: z.boolean().default(false),
});
