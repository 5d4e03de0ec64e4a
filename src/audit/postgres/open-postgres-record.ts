import { openPool } from '../../store/postgres/open-pool.ts';
import type { PostgresSettings } from '../../store/postgres/postgres-settings.ts';
import { ArchiveClient } from '../archive-client.ts';
import { checkPageAsked } from '../record-page.ts';
import type { PlaceOptions, RecordPlace } from '../record-place.ts';
import { threadUrl } from '../thread-url.ts';
import { WriterClient } from '../writer-client.ts';
import { bringUpToDate } from './bring-up-to-date.ts';
import { PostgresPruner } from './postgres-pruner.ts';
import type { PostgresRunOptions, PostgresRunState } from './postgres-run-writer.ts';
import { parsedFrom, queryRecord } from './query.ts';
import { readRecord } from './record-reads.ts';
import { forThread } from './thread-settings.ts';

/** A question that takes longer asks for too much: it must not keep others from theirs. */
const QUESTION_MS_MAX = 5_000;
const QUESTIONS_AT_ONCE_MAX = 3;

/**
 * The record in PostgreSQL, which any number of gateways keep together.
 *
 * @throws GatewayError `store_unavailable` when its schema is of a newer release; pg's error when it does not answer
 */
export async function openPostgresRecord(settings: PostgresSettings, options: PlaceOptions): Promise<RecordPlace> {
  const reading = await openPostgresReading(settings);
  const begin: PostgresRunOptions = {
    settings: forThread(settings),
    gatewayId: options.gatewayId,
    askMsMax: options.intentMsMax,
    resume: undefined,
  };
  const writer = new WriterClient<PostgresRunState>({
    url: threadUrl('writer-thread', import.meta.url),
    options: begin,
    onUsage: options.onUsage,
  });
  return { writer, ...reading };
}

/** Reads it, without writing; throws as above. */
export async function openPostgresReading(settings: PostgresSettings): Promise<Omit<RecordPlace, 'writer'>> {
  await bringUpToDate(settings);
  const archive = new ArchiveClient(threadUrl('archive-thread', import.meta.url), forThread(settings));
  const pool = await openPool(settings, {
    connectionsMax: QUESTIONS_AT_ONCE_MAX,
    waitMs: QUESTION_MS_MAX,
    statementMs: QUESTION_MS_MAX,
  });
  return {
    async query(filter, page) {
      checkPageAsked(page);
      const from = parsedFrom(page);
      return readRecord(pool, (client) => queryRecord(client, filter, page, from));
    },
    archive,
    exported: (asked) => archive.exported(asked),
    delivered: (asked) => archive.delivered(asked),
    pruner: new PostgresPruner(settings),
    close: async () => void (await Promise.all([pool.ending ? undefined : pool.end(), archive.close()])),
  };
}
