import { formatRateLimit } from '../../../src/domain/budget.ts';
import type { FleetReport, Waits } from './report.ts';

const APPS_SHOWN = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000];

/** The report for people. */
export function printReport(report: FleetReport, tookMs: number): string {
  const { options, budgets, shares, redis } = report;
  const { gateways, reach, callers, apps, limit, kind, jitter, seconds, shared } = options;
  const shown = shares.byApp.map((waits, i) => [i + 1, waits] as const);
  const rows = shown.filter(([app]) => APPS_SHOWN.includes(app) || app === apps);
  const text: readonly (readonly [what: string, is: string])[] = [
    [
      'fleet',
      `${gateways} gateways${shared ? '' : ' that do not share'}, ${callers} callers, ${apps} apps a budget; ${report.lanes} lanes, at most ${reach} a budget`,
    ],
    ['Mason', `${formatRateLimit(limit)} a budget, ${kind}, jitter ${jitter.min}..${jitter.max} ms`],
    [
      'calls',
      `${whole(report.served)} served, ${whole(report.turnedAway)} turned away, in ${report.measuredSeconds} s`,
    ],
    [
      '429s',
      `${whole(report.refused)} at Mason from the first call on, ${whole(report.refusedLater)} in the measured part`,
    ],
    ['budgets', `${whole(budgets.called)} called, ${whole(budgets.inDemand)} in demand all the time`],
    [
      'used',
      `${percent(budgets.used)} of the limit (least ${percent(budgets.usedLeast)}), ${percent(budgets.usedOfUsable)} of what can be with a spread of ${number(budgets.spreadMs)} ms`,
    ],
    ...rows.map(([app, waits]) => [`wait, app ${app}`, waitText(waits)] as const),
    ['worst to best', `${number(shares.worstToBest)} (p50 by app)`],
    ['Jain', `${fixed(shares.jain, 4)}, least ${fixed(shares.jainLeast, 4)}, of the apps that waited all the time`],
    ['wait elsewhere', waitText(shares.elsewhere)],
    [
      'Redis',
      `${fixed(redis.asksPerCall, 3)} asks a call, ${whole(redis.asksPerSecond)} asks/s, ${whole(redis.asksInBusiestSecond)} in the busiest second; ${percent(redis.asks === 0 ? undefined : redis.asksForNothing / redis.asks)} for no slot`,
    ],
    [
      '',
      `${percent(redis.busy)} of one processor, up to ${redis.gatewaysOfOneBudget} gateways a budget, ${whole(redis.lanesWithoutIt)} lanes cut off at the end`,
    ],
    ['took', `${(tookMs / 1_000).toFixed(1)} s for ${seconds} s, ${whole(report.events)} events`],
  ];
  return text.map(([what, is]) => `${what.padEnd(16)}${is}`).join('\n');
}

function waitText({ calls, p50Ms, p99Ms }: Waits): string {
  return calls === 0 ? 'no calls' : `p50 ${number(p50Ms)} ms, p99 ${number(p99Ms)} ms of ${whole(calls)} calls`;
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

function number(value: number | undefined): string {
  return value === undefined ? '-' : value.toLocaleString('en-US', { maximumFractionDigits: value < 100 ? 1 : 0 });
}

function fixed(value: number | undefined, digits: number): string {
  return value === undefined ? '-' : value.toFixed(digits);
}

function percent(value: number | undefined): string {
  return value === undefined ? '-' : `${(value * 100).toFixed(1)} %`;
}
