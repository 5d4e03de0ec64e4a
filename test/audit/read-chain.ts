import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { listSegments } from '../../src/audit/segments/segment-file.ts';

export interface StoredChain {
  readonly chain: string;
  readonly lines: string[];
  readonly events: Record<string, unknown>[];
  /** What does not fit, in words; empty when the chain is whole. */
  readonly faults: string[];
  readonly head: { seq: number; link: string };
}

/**
 * Reads the chains of a directory as a stranger would who knows only the format: from the stored bytes, with code of its own.
 */
export function readChains(directory: string): StoredChain[] {
  const chains = new Map<string, StoredChain & { head: { seq: number; link: string } }>();
  for (const file of listSegments(directory).reverse()) {
    // A journal was left by who was killed while sealing: it wants to be rolled back.
    using db = new DatabaseSync(file.path, { readOnly: !existsSync(`${file.path}-journal`) });
    if (db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'segment'").get() === undefined) continue;
    const integrity = db.prepare('PRAGMA integrity_check').get()?.['integrity_check'];
    const segment = db.prepare('SELECT * FROM segment').get() ?? {};
    const name = String(segment['chain']);
    const chain = chains.get(name) ?? {
      chain: name,
      lines: [],
      events: [],
      faults: [],
      head: { seq: 0, link: createHash('sha256').update(name).digest('hex') },
    };
    chains.set(name, chain);
    if (integrity !== 'ok') chain.faults.push(`${file.path}: ${String(integrity)}`);
    if (hex(segment['previous_link']) !== chain.head.link) chain.faults.push(`${file.path} goes on from another link`);
    for (const batch of db.prepare('SELECT * FROM batch ORDER BY first_seq').all()) {
      const link = createHash('sha256').update(Buffer.from(chain.head.link, 'hex'));
      const first = Number(batch['first_seq']);
      const last = Number(batch['last_seq']);
      if (first !== chain.head.seq + 1) chain.faults.push(`batch ${first} does not follow ${chain.head.seq}`);
      const rows = db.prepare('SELECT * FROM event WHERE seq BETWEEN ? AND ? ORDER BY seq').all(first, last);
      if (rows.length !== last - first + 1) chain.faults.push(`batch ${first} has ${rows.length} events`);
      for (const row of rows) {
        const line = String(row['line']);
        const digest = createHash('sha256').update(line).digest();
        if (digest.toString('hex') !== hex(row['digest'])) chain.faults.push(`event ${String(row['seq'])} was edited`);
        link.update(digest);
        chain.lines.push(line);
        chain.events.push(JSON.parse(line));
      }
      const computed = link.digest('hex');
      if (computed !== hex(batch['link'])) chain.faults.push(`link of batch ${first} differs`);
      chain.head.seq = last;
      chain.head.link = computed;
    }
  }
  return [...chains.values()];
}

function hex(value: unknown): string {
  return ArrayBuffer.isView(value) ? Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex') : '';
}
