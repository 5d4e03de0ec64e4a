import { createSecretKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Logger } from 'pino';
import { Gauge, type Registry } from 'prom-client';
import { FileSink } from './audit/sinks/file-sink.ts';
import type { Sink } from './audit/sinks/sink.ts';
import { SinkFollower } from './audit/sinks/sink-follower.ts';
import { StdoutSink } from './audit/sinks/stdout-sink.ts';
import { WebhookSink } from './audit/sinks/webhook-sink.ts';
import type { Config } from './config/config.ts';
import { readSecretFile } from './config/read-secret-file.ts';
import type { Core } from './core.ts';
import { systemClock } from './domain/clock.ts';

type SinkConfig = Config['sinks'][number];

/** What a file and standard output are given at once. */
const BATCH_BYTES_MAX = 262_144;

/**
 * Lets the sinks follow the record of this gateway, with their gauges, to its end.
 *
 * @throws Error with one clear line when a file that a webhook needs cannot be read
 */
export function openSinks(config: Config, core: Core, log: Logger, registry: Registry): void {
  const opened = config.sinks.map((settings) => [settings, openSink(settings)] as const);
  const followers = opened.map(
    ([settings, sink]) =>
      new SinkFollower({
        id: settings.id,
        gatewayId: config.gateway.id,
        format: settings.format,
        bytesMax: settings.kind === 'webhook' ? settings.batchBytesMax : BATCH_BYTES_MAX,
        sink,
        record: core.record,
        positions: core.store.positions,
        clock: systemClock,
        onTrouble: (problem) => log.warn({ room: 'sinks' }, problem),
        onWell: (words) => log.info({ room: 'sinks' }, words),
      }),
  );
  // All at once: each may take a while for its last events.
  core.record.followers.defer(async () => {
    await Promise.all(followers.map((follower) => follower[Symbol.asyncDispose]()));
  });
  core.doors.sinks = () => followers.map((follower) => follower.health());
  addGauge(registry, 'events', 'Events on record that a sink has not delivered.', core, (sink) => sink.lagEvents);
  addGauge(registry, 'seconds', 'Seconds since a sink had delivered all there was.', core, (sink) => sink.lagSeconds);
}

/** What `/readyz` says of them. No reason to send calls elsewhere: nothing waits for a sink. */
export function sinksState({ doors }: Core): Record<string, string> {
  const sinks = doors.sinks();
  if (sinks.length === 0) return {};
  const troubled = sinks.filter(({ problem }) => problem !== undefined);
  const said = troubled.map(({ id, lagEvents, problem }) => `${id}: ${lagEvents} events behind: ${problem}`);
  return { sinks: said.join('; ') || 'delivering' };
}

function addGauge(
  registry: Registry,
  unit: string,
  help: string,
  { doors }: Core,
  value: (sink: ReturnType<Core['doors']['sinks']>[number]) => number,
): void {
  new Gauge({
    name: `mason_gateway_sink_lag_${unit}`,
    help,
    labelNames: ['sink'] as const,
    registers: [registry],
    collect() {
      for (const sink of doors.sinks()) this.labels(sink.id).set(value(sink));
    },
  });
}

function openSink(settings: SinkConfig): Sink {
  switch (settings.kind) {
    case 'file':
      return new FileSink({ ...settings, clock: systemClock });
    case 'stdout':
      return new StdoutSink(settings.id);
    case 'webhook': {
      const where = `sinks.${settings.id}`;
      return new WebhookSink({
        ...settings,
        secret: createSecretKey(readSecretFile(`${where}.secretFile`, settings.secretFile).reveal(), 'utf8'),
        ca: settings.caFile === undefined ? undefined : readCa(`${where}.caFile`, settings.caFile),
        clock: systemClock,
      });
    }
  }
}

function readCa(setting: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Error(`${setting}: expected a readable file, got ${(error as NodeJS.ErrnoException).code} for ${file}`);
  }
}
