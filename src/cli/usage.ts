import { USAGE_BY, type UsageView } from '../manage/usage-acts.ts';
import { localTime } from './local-time.ts';
import type { Column } from './table.ts';
import { type Cli, collect, verb, withActs } from './verb.ts';

/** Columns of what usage is asked for by, in the order in which they stand. */
const BY: readonly (readonly [(typeof USAGE_BY)[number], Column<UsageView>])[] = [
  ['time', ['TIME', ({ at }) => (at === undefined ? null : localTime(at))]],
  ['team', ['TEAM', ({ team = null }) => team]],
  ['app', ['CALLER', ({ caller }) => caller?.name ?? null]],
  ['operation', ['OPERATION', ({ operation = null }) => operation]],
  ['outcome', ['OUTCOME', ({ outcome = null }) => outcome]],
];

const FIGURES: readonly Column<UsageView>[] = [
  ['CALLS', ({ calls }) => calls],
  ['ERRORS', ({ errors }) => errors],
  ['ATTEMPTS', ({ attempts }) => attempts],
  ['BYTES IN', ({ bytesIn }) => bytesIn],
  ['BYTES OUT', ({ bytesOut }) => bytesOut],
  ['LINE p50', ({ queueMs }) => ms(queueMs.p50)],
  ['p99', ({ queueMs }) => ms(queueMs.p99)],
  ['MASON p50', ({ masonMs }) => ms(masonMs.p50)],
  ['p95', ({ masonMs }) => ms(masonMs.p95)],
  ['p99', ({ masonMs }) => ms(masonMs.p99)],
  ['GATEWAY p50', ({ gatewayMs }) => ms(gatewayMs.p50)],
  ['p99', ({ gatewayMs }) => ms(gatewayMs.p99)],
];

export function addUsage(cli: Cli): void {
  verb(cli.program, 'usage', 'shows who called what, how often, how much and how long', 'usage --by app --since 7d')
    .option('--by <what>', `some of ${USAGE_BY.join(', ')}, with commas; else app`, collect)
    .option('--since <time>', 'from then on: an ISO time, or 15m, 2h, 7d ago; else 24h')
    .option('--until <time>', 'before then')
    .option('--span <span>', 'add up minutes, hours or days: minute (kept for 2 days), hour (90 days) or day')
    .option('--team <team>', 'of this team')
    .option('--app <app>', 'of this app')
    .option('--person <id>', 'by this person')
    .option('--operation <operation>', 'such as device.list')
    .action(
      withActs(cli, async ({ acts, print }, { json, by = ['app'], ...options }) => {
        const answer = await acts.perform('usage.query', { ...options, by: by.join(',') });
        const columns = BY.filter(([field]) => by.includes(field)).map(([, column]) => column);
        await print.list(answer, [...columns, ...FIGURES], 'Nobody called in that time.');
        await print.aside(`From ${localTime(answer.since)} to ${localTime(answer.until)}; times may be 5 % off.`);
      }),
    );
}

function ms(value: number | null): string | null {
  return value === null ? null : `${value}ms`;
}
