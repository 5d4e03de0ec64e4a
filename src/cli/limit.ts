import type { LimitView } from '../manage/limit-acts.ts';
import { localTime } from './local-time.ts';
import { SPREAD_OPTION, spreadOf } from './spread.ts';
import type { Column } from './table.ts';
import { type Cli, noun, verb, withActs } from './verb.ts';

const WORDS: Readonly<Record<LimitView['known'], string>> = {
  given: 'given',
  stated: 'stated by Mason',
  learnt: 'learnt',
  assumed: 'assumed',
};

const COLUMNS: readonly Column<LimitView>[] = [
  ['BUDGET', (limit) => limit.budget],
  ['LIMIT', (limit) => limit.limit],
  ['KNOWN FROM', (limit) => WORDS[limit.known]],
  ['MODE', (limit) => limit.mode],
  ['REFUSALS', (limit) => limit.refusalsSeen],
  ['LAST REFUSAL', (limit) => (limit.refusals[0] === undefined ? 'never' : localTime(limit.refusals[0].at))],
  ['SPREAD', (limit) => (limit.spreadMs === null ? null : spreadWords(limit.spreadMs, limit.spreadKnown))],
];

const MODES: Readonly<Record<NonNullable<LimitView['mode']>, string>> = {
  searching: 'it rises while calls wait, until Mason refuses one',
  holding: 'it is held below what Mason refused',
  probing: 'a little more is tried',
  waiting: 'Mason refused, and has taken no call since',
  stated: 'Mason states it',
};

export function addLimit(cli: Cli): void {
  const limit = noun(cli, 'limit', 'limits in force at Mason, and how they are known');

  verb(limit, 'show', 'shows the limits in force, and what each is known from', 'limit show --budget acme-main')
    .option('--budget <name>', 'of this budget only, with all that is known')
    .action(
      withActs(cli, async ({ acts, print }, { budget }) => {
        const shown = await acts.perform('limit.show', { budget });
        const [only] = shown.data;
        if (budget === undefined || only === undefined) {
          await print.list(shown, COLUMNS, 'There are no budgets yet: "key add" makes them');
        } else {
          await print.one(only, explained(only));
        }
      }),
    );

  verb(limit, 'set <limit>', 'gives a budget a limit, or "auto": it is learnt', 'limit set --budget acme-main 100/1s')
    .requiredOption('--budget <name>', 'the budget')
    .option(...SPREAD_OPTION)
    .action(
      withActs(cli, async ({ acts, print }, { budget, spread }, [given]) => {
        const set = await acts.perform('budget.set', { name: budget, limit: given, spreadMs: spread });
        const limit = `limit ${set.limit ?? 'auto'}, spread ${spreadOf(set)}`;
        await print.one(set, [`The budget ${set.name}: ${limit}; keys ${set.keys.join(', ')}.`]);
      }),
    );

  verb(limit, 'forget', 'forgets what was learnt of a limit; it is learnt anew', 'limit forget --budget acme-main')
    .requiredOption('--budget <name>', 'the budget')
    .action(
      withActs(cli, async ({ acts, print }, { budget }) => {
        const { forgotten } = await acts.perform('limit.forget', { budget });
        await print.one({ forgotten }, [`What was learnt of the budget ${forgotten} is forgotten.`]);
      }),
    );
}

function explained(limit: LimitView): string[] {
  const mode = limit.mode === null ? '' : `; ${MODES[limit.mode]}`;
  return [
    `The budget ${limit.budget}: ${limit.limit}, ${WORDS[limit.known]}${mode}.`,
    ...limit.levels
      .filter(({ takenBefore }) => takenBefore !== null)
      .map(({ limit: level, takenBefore }) => `  ${level}: Mason had taken ${takenBefore} calls when it refused`),
    ...limit.refusals.map(
      ({ at, askedMs, window, taken }) => `  refused ${localTime(at)}: ${taken} calls in ${window}, ${asked(askedMs)}`,
    ),
    ...(limit.waitsUntil === null ? [] : [`  nobody sends before ${localTime(limit.waitsUntil)}`]),
    ...(limit.probesAt === null || limit.mode !== 'holding'
      ? []
      : [`  a little more is tried from ${localTime(limit.probesAt)} on, while calls wait`]),
    ...(limit.spreadMs === null
      ? []
      : [`  spread of the way to Mason: ${spreadWords(limit.spreadMs, limit.spreadKnown)}`]),
  ];
}

function asked(askedMs: number | null): string {
  return askedMs === null ? 'no wait was asked for' : `a wait of ${Math.ceil(askedMs / 1_000)} s was asked for`;
}

function spreadWords(ms: number, known: LimitView['spreadKnown']): string {
  return `${Math.round(ms)} ms, ${known}`;
}
