/**
 * One cell of CSV (RFC 4180 section 2), which no spreadsheet takes for a formula: what a cell begins with decides that there, after
 * blanks and quotes too, and `;`, tabs and line breaks begin cells in some settings though they stand inside of one. So an
 * apostrophe is put before `=`, `+`, `-` and `@`, wide ones too, wherever they could begin a cell, and before a tab or a carriage
 * return that begins one (OWASP, "CSV Injection"). Numbers of ours stay as they are, to be added up.
 */
export function csvCell(value: string | number | undefined): string {
  if (value === undefined) return '';
  if (typeof value === 'number') return String(value);
  const safe = value.replace(BEGINS_FORMULA, "$1'").replace(BEGINS_BLANK, "'$&");
  return MUST_BE_QUOTED.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

const BEGINS_FORMULA = /((?:^|[;\t\r\n])[\s"]*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20])/g;
const BEGINS_BLANK = /^[\t\r]/;
const MUST_BE_QUOTED = /[",;\s]/;
