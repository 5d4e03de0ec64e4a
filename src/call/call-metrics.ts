import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { LaneStats } from '../domain/lane.ts';
import type { RecordHealth } from '../domain/record.ts';
import { Durations } from './durations.ts';
import type { CallObserver } from './finish.ts';

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];
const OWN_SECONDS = [0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.1, 1];

/** What the gauges ask for when somebody scrapes. */
export interface MetricSources {
  lanes(): Iterable<readonly [budget: string, stats: LaneStats]>;
  callsOpen(): number;
  recordHealth(): RecordHealth;
}

/** Numbers for Prometheus: by team and status, never by path or device, so that their number stays bounded. */
export function createMetrics(sources: MetricSources): { registry: Registry; observe: CallObserver } {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  // Counted here, and handed over when somebody scrapes: prom-client finds a counter by a text of its labels.
  const calls = new Map<string, Map<string, Map<number, number>>>();
  const attempts = new Map<string | number, number>();
  new Counter({
    name: 'mason_gateway_calls_total',
    help: 'Calls by team, status answered and source of the error (none when there was no error).',
    labelNames: ['team', 'status', 'error_source'] as const,
    registers,
    collect() {
      this.reset();
      for (const [team, bySource] of calls) {
        for (const [source, byStatus] of bySource) {
          for (const [status, count] of byStatus) this.labels(team, String(status), source).inc(count);
        }
      }
    },
  });
  new Counter({
    name: 'mason_gateway_attempts_total',
    help: 'Attempts at Mason by the status answered, or the failure.',
    labelNames: ['result'] as const,
    registers,
    collect() {
      this.reset();
      for (const [result, count] of attempts) this.labels(String(result)).inc(count);
    },
  });
  const queue = new Durations(
    registry,
    'mason_gateway_queue_seconds',
    'Time in the line, of calls that joined one.',
    SECONDS,
  );
  const mason = new Durations(
    registry,
    'mason_gateway_mason_seconds',
    'Time to the first byte of an answer of Mason, over all attempts; not of uploads and downloads.',
    SECONDS,
  );
  const own = new Durations(registry, 'mason_gateway_own_seconds', 'Time in the gateway itself.', OWN_SECONDS);
  const redacted = new Counter({
    name: 'mason_gateway_redacted_keys_total',
    help: 'Mason keys cut out of answers: more than 0 means that Mason echoes them.',
    registers,
  });
  const joined = new Counter({
    name: 'mason_gateway_joined_calls_total',
    help: 'Reads that were given the answer to an equal one that waited with them: calls that Mason was spared.',
    registers,
  });
  addGauges(registers, sources);

  const observe: CallObserver = ({ outcome, redacted: redactions, isTransfer }) => {
    const { team = 'none', status, errorSource = 'none' } = outcome;
    const bySource = calls.getOrInsertComputed(team, newMap);
    addOne(bySource.getOrInsertComputed(errorSource, newMap), status);
    own.observe(outcome.gatewayMs);
    if (redactions > 0) redacted.inc(redactions);
    const { attempts: tried = [] } = outcome;
    if (outcome.joined !== undefined) joined.inc();
    if (tried.length > 0 || outcome.joined !== undefined) queue.observe(outcome.queueMs);
    if (tried.length > 0 && !isTransfer) mason.observe(outcome.masonMs);
    for (const attempt of tried) addOne(attempts, attempt.status ?? attempt.failure ?? 'none');
  };
  return { registry, observe };
}

function addOne<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function newMap<K, V>(): Map<K, V> {
  return new Map();
}

function addGauges(registers: Registry[], sources: MetricSources): void {
  new Gauge({
    name: 'mason_gateway_lane_mode',
    help: 'How a budget is shared now: local, shared, silent (Redis just went away) or alone (with a part of it).',
    labelNames: ['budget', 'mode'],
    registers,
    collect() {
      this.reset();
      for (const [budget, { mode }] of sources.lanes()) this.set({ budget, mode }, 1);
    },
  });
  const byBudget = (name: string, help: string, value: (stats: LaneStats) => number): void => {
    new Gauge({
      name,
      help,
      labelNames: ['budget'],
      registers,
      collect() {
        this.reset();
        for (const [budget, stats] of sources.lanes()) this.set({ budget }, value(stats));
      },
    });
  };
  byBudget('mason_gateway_line_depth', 'Calls waiting in the line of a budget.', (stats) => stats.waiting);
  byBudget('mason_gateway_budget_used_ratio', 'Part of the budget spent in the last window.', (stats) => stats.used);
  byBudget('mason_gateway_budget_calls', 'Calls per window that the budget allows.', (stats) => stats.limit.calls);
  byBudget(
    'mason_gateway_budget_window_seconds',
    'Length of the window of a budget.',
    (stats) => stats.limit.windowMs / 1_000,
  );
  const single = (name: string, help: string, value: () => number): void => {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(value());
      },
    });
  };
  single('mason_gateway_calls_open', 'Calls under way.', sources.callsOpen);
  single('mason_gateway_record_writable', '1 while the record can be written.', () =>
    sources.recordHealth().writable ? 1 : 0,
  );
  single(
    'mason_gateway_record_gap_events',
    'Events that were not written since the start.',
    () => sources.recordHealth().gap,
  );
  single(
    'mason_gateway_record_lag_events',
    'Events accepted and not yet durable.',
    () => sources.recordHealth().lagEvents,
  );
}
