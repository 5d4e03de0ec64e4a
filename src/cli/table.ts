import { safeText } from './safe-text.ts';

/** A column: its title, and what stands in it. */
export type Column<Row> = readonly [title: string, cell: (row: Row) => string | number | null];

/** Lines of aligned columns under their titles; the last column is not padded. Empty cells show as `-`. */
export function tableLines<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string[] {
  const cells = rows.map((row) => columns.map(([, cell]) => textOf(cell(row))));
  const lines = [columns.map(([title]) => title), ...cells];
  const widths = columns.map((_, at) => Math.max(...lines.map((line) => line[at]?.length ?? 0)));
  return lines.map((line) => padded(line, widths));
}

/** One line of a table whose other rows are not known yet. */
export function padded(cells: readonly string[], widths: readonly number[]): string {
  return cells
    .map((cell, at) => (at === cells.length - 1 ? cell : cell.padEnd(widths[at] ?? 0)))
    .join('  ')
    .trimEnd();
}

function textOf(value: string | number | null): string {
  return value === null || value === '' ? '-' : safeText(String(value));
}
