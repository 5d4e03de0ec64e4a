import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { problemLines } from './problem-lines.ts';
import { safeJson } from './safe-text.ts';
import { type Column, tableLines } from './table.ts';

/** What a command says: to people, or with --json to programs. */
export class Printer {
  readonly json: boolean;
  readonly #stdout: Writable;
  readonly #stderr: Writable;

  constructor(json: boolean, stdout: Writable, stderr: Writable) {
    this.json = json;
    this.#stdout = stdout;
    this.#stderr = stderr;
  }

  /** One thing: the value itself for programs, `lines` for people. */
  async one(value: unknown, lines: readonly string[]): Promise<void> {
    await this.lines(this.json ? [safeJson(value, 2)] : lines);
  }

  /** A list: `{data, …}` for programs, a table for people, or `none` where there is nothing. */
  async list<Row>(page: { data: readonly Row[] }, columns: readonly Column<Row>[], none: string): Promise<void> {
    if (this.json) await this.lines([safeJson(page, 2)]);
    else if (page.data.length === 0) await this.aside(none);
    else await this.lines(tableLines(columns, page.data));
  }

  /** To standard output; waits while whoever reads is behind. */
  async lines(lines: readonly string[]): Promise<void> {
    if (lines.length === 0) return;
    if (!this.#stdout.write(`${lines.join('\n')}\n`)) await once(this.#stdout, 'drain');
  }

  /** To standard error: something is wrong that does not end the command. */
  async problem(problem: { type: string; message: string }): Promise<void> {
    this.#stderr.write(problemLines(problem, this.json));
  }

  /** To people only, beside the answer: standard error, nothing with --json. */
  async aside(line: string): Promise<void> {
    if (!this.json) this.#stderr.write(`${line}\n`);
  }
}
