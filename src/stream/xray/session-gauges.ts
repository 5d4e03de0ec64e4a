import { Counter, Gauge, type Registry } from 'prom-client';
import type { OpenSessions } from './open-sessions.ts';

/** Numbers of X-Ray sessions for Prometheus. */
export function addSessionGauges(registry: Registry, sessions: OpenSessions): void {
  const registers = [registry];
  new Gauge({
    name: 'mason_gateway_streams_open',
    help: 'X-Ray sessions that are open.',
    registers,
    collect() {
      this.set(sessions.tally().open);
    },
  });
  new Counter({
    name: 'mason_gateway_stream_bytes_total',
    help: 'Bytes of X-Ray sessions, from callers (in) and to them (out).',
    labelNames: ['direction'] as const,
    registers,
    collect() {
      const { bytesIn, bytesOut } = sessions.tally();
      this.reset();
      this.labels('in').inc(bytesIn);
      this.labels('out').inc(bytesOut);
    },
  });
}
