import type { StoredEvent } from '../domain/event.ts';
import type { EventPage } from '../manage/audit-acts.ts';
import { addAuditExport } from './audit-export.ts';
import { filterInput, filterOptions } from './audit-filter.ts';
import { addAuditKeys } from './audit-keys.ts';
import { addAuditPrune } from './audit-prune.ts';
import { addAuditSinks } from './audit-sinks.ts';
import { addAuditVerify } from './audit-verify.ts';
import { storyLines } from './call-story.ts';
import { usageError } from './cli-error.ts';
import { EVENT_COLUMNS, eventLines } from './event-lines.ts';
import { followRecord } from './follow-record.ts';
import type { Rooms } from './rooms.ts';
import { safeJson } from './safe-text.ts';
import { tableLines } from './table.ts';
import { type Cli, noun, type VerbContext, verb, withActs } from './verb.ts';

const TAIL_EVENTS = '20';
const PAGE_EVENTS = 1_000;

export function addAudit<Config>(cli: Cli, rooms: Rooms<Config>): void {
  const audit = noun(
    cli,
    'audit',
    'the record of every call, refusal and administrative act; reading it is on record too',
  );

  filterOptions(verb(audit, 'tail', 'shows the newest events, oldest first', 'audit tail -f --team acme'))
    .option('-f, --follow', 'go on with what comes, until Ctrl-C')
    .option('--limit <number>', 'how many events', TAIL_EVENTS)
    .action(
      withActs(cli, async (context, { json, follow, limit, ...options }) => {
        const filter = filterInput(options);
        if (follow) return await followRecord(context, filter, limit);
        const { data } = await context.acts.perform('audit.query', { ...filter, limit });
        await context.print.list({ data: data.toReversed() }, EVENT_COLUMNS, 'Nothing of that is on record.');
      }),
    );

  filterOptions(
    verb(
      audit,
      'query',
      'searches the record, newest first',
      'audit query --since 2h --effect disruptive --device 4f1c…',
    ),
  )
    .option('--limit <number>', 'events a page, 1 to 1000; else 100')
    .option('--after <page>', 'the next older page: "nextPage" of the answer before')
    .option('--all', 'all pages')
    .action(
      withActs(cli, async (context, { json, all, ...options }) => {
        const input = filterInput(options);
        if (all) return await printAll(context, input);
        const page = await context.acts.perform('audit.query', input);
        await context.print.list(page, EVENT_COLUMNS, 'Nothing of that is on record.');
        if (page.nextPage !== undefined) await context.print.aside(`There is more: --all, or --after ${page.nextPage}`);
      }),
    );

  verb(
    audit,
    'show <request-id>',
    'shows all that is on record of one call',
    'audit show 01a2098b-fb9f-7d64-bda9-c1d239e99111',
  ).action(
    withActs(cli, async ({ acts, print }, _options, [requestId]) => {
      const answer = await acts.perform('audit.show', { requestId });
      await print.one(answer, [...storyLines(answer.data), '', ...answer.data.flatMap(eventLines)]);
    }),
  );

  addAuditExport(cli, audit);
  addAuditVerify(cli, audit, rooms);
  addAuditKeys(cli, audit);
  addAuditSinks(cli, audit);
  addAuditPrune(cli, audit);
}

/** Page by page as it comes, so that a long record fits in memory; with --json still one well-formed document. */
async function printAll({ acts, print }: VerbContext, input: Readonly<Record<string, unknown>>): Promise<void> {
  if (input['after'] !== undefined) throw usageError('expected one of --all and --after, got both');
  let page: EventPage = await acts.perform('audit.query', { limit: PAGE_EVENTS, ...input });
  let isFirst = true;
  if (print.json) await print.lines(['{"data": [']);
  for (;;) {
    await print.lines(print.json ? jsonRows(page.data, isFirst) : tableRows(page.data, isFirst));
    isFirst &&= page.data.length === 0;
    if (page.nextPage === undefined) break;
    page = await acts.perform('audit.query', { limit: PAGE_EVENTS, ...input, after: page.nextPage });
  }
  if (print.json) await print.lines([']}']);
  else if (isFirst) await print.aside('Nothing of that is on record.');
}

function jsonRows(data: readonly StoredEvent[], isFirst: boolean): string[] {
  return data.map((event, at) => (isFirst && at === 0 ? '' : ',') + safeJson(event));
}

function tableRows(data: readonly StoredEvent[], isFirst: boolean): string[] {
  return data.length === 0 ? [] : tableLines(EVENT_COLUMNS, data).slice(isFirst ? 0 : 1);
}
