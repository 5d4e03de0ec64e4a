import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventLine } from '../../src/audit/event-line.ts';
import { openRecord } from '../../src/audit/open-record.ts';
import { RunWriter } from '../../src/audit/segments/run-writer.ts';
import { sealSegment } from '../../src/audit/segments/seal-segment.ts';
import { systemClock } from '../../src/domain/clock.ts';
import type { OutcomeEvent } from '../../src/domain/event.ts';

const EVENTS = 100_000;
const BATCH = 500;
const INTENTS = 2_000;

const directory = mkdtempSync(join(tmpdir(), 'record-cost-'));
const run = {
  gatewayId: 'bench',
  startedAt: Date.now(),
  segmentEventsMax: 1e9,
  segmentAgeMsMax: 1e9,
  busyMsMax: 100,
  resume: undefined,
};

/** What a typical read leaves: all fields, one attempt, one target in four. */
function outcome(n: number): OutcomeEvent {
  return {
    kind: 'outcome',
    requestId: `0199d1a4-3c1e-7${String(n).padStart(11, '0')}`,
    at: 1_790_000_000_000 + n * 10,
    actor: {
      kind: 'app',
      appId: `app_${n % 20}`,
      app: `frontend-${n % 20}`,
      tokenId: `tok_${n % 40}`,
      address: '10.20.30.40',
    },
    teamId: `team_${n % 7}`,
    team: `crew-${n % 7}`,
    method: 'GET',
    path: '/v1/default/device',
    operation: 'device.list',
    effect: 'read',
    ...(n % 4 === 0 ? { targets: [{ kind: 'device', name: `SERIAL-${n % 5000}` }] as const } : {}),
    keyFingerprint: 'c0ffee00c0ffee00',
    result: 'answered',
    status: 200,
    attempts: [{ startMs: 1.234, durationMs: 48.9, status: 200 }],
    queueMs: 1.1,
    masonMs: 48.9,
    gatewayMs: 0.6,
    bytesIn: 0,
    bytesOut: 5120,
  };
}

/** CPU time of this thread in µs: says the same on a busy machine as on a quiet one. */
function cpuMicros(): number {
  const { user, system } = process.threadCpuUsage();
  return user + system;
}

function percentile(sorted: readonly number[], share: number): string {
  return (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(2);
}

async function main(): Promise<void> {
  const lines: string[] = [];
  for (let n = 0; n < 20_000; n += 1) eventLine(outcome(n));
  const events = Array.from({ length: EVENTS }, (_, n) => outcome(n));
  const formatFrom = cpuMicros();
  for (const event of events) lines.push(eventLine(event));
  console.log(`format, main thread: ${((cpuMicros() - formatFrom) / EVENTS).toFixed(2)} µs/event`);

  const writer = new RunWriter({ ...run, directory: join(directory, 'writer') });
  writer.write(0, '');
  const writeFrom = cpuMicros();
  for (let n = 0; n < EVENTS / BATCH; n += 1) {
    writer.write(n + 1, lines.slice(n * BATCH, (n + 1) * BATCH).join(''));
    writer.rest();
  }
  console.log(
    `write, ${BATCH} a batch, checkpoints included: ${((cpuMicros() - writeFrom) / EVENTS).toFixed(2)} µs/event`,
  );
  writer.close();
  const path = join(directory, 'writer', readdirSync(join(directory, 'writer'))[0] ?? '');
  const open = statSync(path).size / EVENTS;
  const sealFrom = cpuMicros();
  sealSegment(path);
  console.log(
    `seal ${EVENTS} events: ${((cpuMicros() - sealFrom) / 1000).toFixed(0)} ms; ${open.toFixed(0)} bytes/event open, ${(statSync(path).size / EVENTS).toFixed(0)} sealed`,
  );

  const record = await openRecord({
    directory: join(directory, 'record'),
    gatewayId: 'bench',
    clock: systemClock,
    intentMsMax: 10_000,
    lagEventsMax: 1e6,
    lagBytesMax: 1e9,
    onProblem: console.log,
  });
  let appendMicros = 0;
  for (let n = 0; n < EVENTS; n += BATCH) {
    const from = cpuMicros();
    for (let m = n; m < n + BATCH; m += 1) record.append(outcome(m));
    appendMicros += cpuMicros() - from;
    while (record.health().lagEvents > 5 * BATCH) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  console.log(`append, main thread: ${(appendMicros / EVENTS).toFixed(2)} µs/event`);
  // Meanwhile the segment is full: sealing it runs beside the first intents.
  while (record.health().lagEvents > 0) await new Promise((resolve) => setTimeout(resolve, 1));
  for (const parallel of [1, 64]) {
    const latencies: number[] = [];
    const from = performance.now();
    const lane = async (): Promise<void> => {
      for (let n = 0; n < INTENTS / parallel; n += 1) {
        const begin = performance.now();
        await record.intend(outcome(n));
        latencies.push(performance.now() - begin);
      }
    };
    await Promise.all(Array.from({ length: parallel }, lane));
    const perSecond = (latencies.length * 1000) / (performance.now() - from);
    latencies.sort((a, b) => a - b);
    console.log(
      `intents, ${parallel} in parallel: p50 ${percentile(latencies, 0.5)} ms, p99 ${percentile(latencies, 0.99)} ms, max ${percentile(latencies, 0.9999)} ms, ${perSecond.toFixed(0)}/s`,
    );
  }
  await record.close();
  rmSync(directory, { recursive: true });
}

await main();
