import { once } from 'node:events';
import { createWriteStream, existsSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import type { Command } from 'commander';
import { filterInput, filterOptions } from './audit-filter.ts';
import { usageError } from './cli-error.ts';
import { Progress } from './progress.ts';
import { type Cli, verb, withActs } from './verb.ts';

/** For the owner alone: who did what, and from where. */
const FILE_MODE = 0o600;

export function addAuditExport(cli: Cli, audit: Command): void {
  filterOptions(
    verb(
      audit,
      'export',
      'writes events to a file, oldest run first; without a filter it can be verified whole',
      'audit export --out record.ndjson',
    ),
  )
    .option('--out <file>', 'write to this file, which must not be there; else to standard output')
    .option('--format <format>', 'ndjson, which can be verified; csv; ocsf', 'ndjson')
    .action(
      withActs(cli, async ({ acts, print, stdout, stderr }, { json, out, ...options }) => {
        if (typeof out === 'string' && existsSync(out)) throw usageError(`${out}: expected no file of this name`);
        const { text } = await acts.perform('audit.export', filterInput(options));
        const progress = new Progress(stderr);
        if (typeof out !== 'string') {
          await write(text, stdout, progress);
          return;
        }
        const file = createWriteStream(`${out}.part`, { mode: FILE_MODE });
        const said = await write(text, file, progress);
        file.end();
        await once(file, 'close');
        await rename(`${out}.part`, out);
        await print.one({ file: out, ...said }, [`Exported ${said.lines} lines, ${said.bytes} bytes, to ${out}.`]);
      }),
    );
}

/** No faster than it can be written. */
async function write(
  text: AsyncIterable<string>,
  to: Writable,
  progress: Progress,
): Promise<{ lines: number; bytes: number }> {
  const said = { lines: 0, bytes: 0 };
  const failed = Promise.withResolvers<never>();
  const fail = (error: Error): void => failed.reject(error);
  failed.promise.catch(() => undefined);
  to.on('error', fail);
  try {
    for await (const piece of text) {
      said.bytes += piece.length;
      said.lines += linesIn(piece);
      if (!to.write(piece, 'latin1')) await Promise.race([once(to, 'drain'), failed.promise]);
      progress.tell(() => `${said.lines} lines, ${Math.round(said.bytes / 1_000_000)} MB`);
    }
  } finally {
    to.off('error', fail);
    progress.end();
  }
  return said;
}

function linesIn(piece: string): number {
  let lines = 0;
  for (let at = piece.indexOf('\n'); at !== -1; at = piece.indexOf('\n', at + 1)) lines += 1;
  return lines;
}
