/** A list as it stands in a text column: JSON, which PostgreSQL and SQLite both can look into. */
export function fromList(list: readonly string[]): string {
  return JSON.stringify(list);
}

/** The inverse of {@link fromList}. Only what it wrote comes here. */
export function toList(text: string): readonly string[] {
  return JSON.parse(text) as readonly string[];
}
