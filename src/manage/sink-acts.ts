import { z } from 'zod';
import type { SinkHealth } from '../domain/sink.ts';
import { type Act, type ActDeps, looking } from './act.ts';

export interface SinkActs {
  /** Those of this gateway; each gateway knows its own. */
  'audit.sinks': Act<{ data: readonly SinkHealth[] }>;
}

export function sinkActs(deps: ActDeps & { readonly sinks: () => readonly SinkHealth[] }): SinkActs {
  return {
    'audit.sinks': looking(deps, { name: 'audit.sinks', need: 'operator', input: z.strictObject({}) }, async () => ({
      answer: { data: deps.sinks() },
    })),
  };
}
