import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { escapedName, plainName } from '../escaped-name.ts';

/** The names of a segment, each stored once: kinds, operations, and teams and apps as pairs of id and name. */
export class SegmentTerms {
  /** By name, then by alias: keys made of both would cost more than the look-ups. */
  readonly #ids = new Map<string, Map<string | undefined, number>>();
  #count = 0;
  readonly #insert: StatementSync;

  constructor(db: DatabaseSync) {
    this.#insert = db.prepare('INSERT INTO term (id, name, alias) VALUES (?, ?, ?)');
    for (const row of db.prepare('SELECT id, name, alias FROM term').iterate()) {
      const alias = row['alias'] === null ? undefined : (plainName(String(row['alias'])) ?? '');
      this.#remember(plainName(String(row['name'])) ?? '', alias, Number(row['id']));
    }
  }

  /** The number of a name, which is written first when it is new; null for no name. To be called within a transaction. */
  id(name: string | undefined, alias?: string): number | null {
    if (name === undefined && alias === undefined) return null;
    const known = this.#ids.get(name ?? '')?.get(alias);
    if (known !== undefined) return known;
    const id = this.#count + 1;
    this.#insert.run(id, escapedName(name), alias === undefined ? null : escapedName(alias));
    this.#remember(name ?? '', alias, id);
    return id;
  }

  #remember(name: string, alias: string | undefined, id: number): void {
    this.#ids.getOrInsertComputed(name, () => new Map()).set(alias, id);
    this.#count = Math.max(this.#count, id);
  }
}
