import type { DatabaseSync, StatementSync } from 'node:sqlite';

/** The names of a segment, each stored once: kinds, operations, and teams and apps as pairs of id and name. */
export class SegmentTerms {
  readonly #ids = new Map<string, number>();
  readonly #insert: StatementSync;

  constructor(db: DatabaseSync) {
    this.#insert = db.prepare('INSERT INTO term (id, name, alias) VALUES (?, ?, ?)');
    for (const row of db.prepare('SELECT id, name, alias FROM term').iterate()) {
      this.#ids.set(
        termKey(String(row['name']), row['alias'] === null ? undefined : String(row['alias'])),
        Number(row['id']),
      );
    }
  }

  /** The number of a name, which is written first when it is new; null for no name. To be called within a transaction. */
  id(name: string | undefined, alias?: string): number | null {
    if (name === undefined && alias === undefined) return null;
    const key = termKey(name ?? '', alias);
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    const id = this.#ids.size + 1;
    this.#insert.run(id, name ?? '', alias ?? null);
    this.#ids.set(key, id);
    return id;
  }
}

function termKey(name: string, alias: string | undefined): string {
  // The length keeps apart what a separator could not: names may hold any character.
  const first = `${name.length}:${name}`;
  return alias === undefined ? first : `${first}:${alias}`;
}
