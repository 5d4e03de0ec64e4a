/** The values of a statement in the making. */
export class SqlValues {
  readonly all: unknown[] = [];

  /** Takes a value and says how the statement names it. */
  add(value: unknown): string {
    this.all.push(value);
    return `$${this.all.length}`;
  }
}
