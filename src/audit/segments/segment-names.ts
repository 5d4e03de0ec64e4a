import type { DatabaseSync } from 'node:sqlite';
import { plainName } from '../escaped-name.ts';

interface Name {
  readonly name: string | undefined;
  readonly alias: string | undefined;
}

const NONE: Name = { name: undefined, alias: undefined };

/** What the numbers in a segment's columns stand for. Names are only ever added: what was read once need not be read again. */
export class SegmentNames {
  readonly #names = new Map<number, Name>();
  #newest = 0;

  /** Reads what came since. */
  read(db: DatabaseSync): void {
    for (const row of db.prepare('SELECT id, name, alias FROM term WHERE id > ? ORDER BY id').all(this.#newest)) {
      this.#newest = Number(row['id']);
      const alias = row['alias'] === null ? undefined : plainName(String(row['alias']));
      this.#names.set(this.#newest, { name: plainName(String(row['name'])), alias });
    }
  }

  /** Of no number, and of a number that stands for nothing, there is no name. */
  of(number: unknown): Name {
    return this.#names.get(Number(number)) ?? NONE;
  }
}
