import { on } from 'node:events';
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { usageError } from './cli-error.ts';
import type { Input, Terminal } from './rooms.ts';

const BYTES_MAX = 65_536;
const WORLD = 0o007;

/**
 * Reads a Mason key from where others cannot see it: a file, a prompt without echo, or what is piped in. Never an argument:
 * arguments stand in the process list and in the shell's history.
 *
 * @throws CliError
 */
export async function readMasonKey(terminal: Terminal, file: string | undefined): Promise<string> {
  return file === undefined ? keyIn(await ask(terminal)) : keyFromFile(file);
}

/** @throws CliError when others may have read the file, or there is no key in it */
export function keyFromFile(file: string): string {
  return keyIn(textFrom(file));
}

function keyIn(text: string): string {
  // The end of the line is the editor's, not the key's.
  const key = text.replace(/[\r\n]+$/, '');
  if (key === '') throw usageError('Mason key: expected a key, got nothing');
  return key;
}

/** What to say when somebody typed a key as an argument. The key itself is not repeated. */
export function keyInArguments(): Error {
  return usageError(
    'a Mason key is never an argument: other accounts see it in the process list, and it stays in the shell’s history. ' +
      'If it was a real one, replace it in Mason’s web app. Leave it out and be asked for it, pipe it in, or use --from-file FILE',
  );
}

function textFrom(file: string): string {
  const descriptor = open(file);
  try {
    const { mode, size } = fstatSync(descriptor);
    if ((mode & WORLD) !== 0) {
      throw usageError(
        `${file}: expected a file that only you and your group can read, found mode 0${(mode & 0o777).toString(8)}: ` +
          `everybody on this machine may have read the key; chmod 600 ${file}`,
      );
    }
    if (size > BYTES_MAX) throw usageError(`${file}: expected a key, found ${size} bytes`);
    return readFileSync(descriptor, 'utf8');
  } finally {
    closeSync(descriptor);
  }
}

function open(file: string): number {
  try {
    return openSync(file, 'r');
  } catch (error) {
    throw usageError(`${file}: cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

async function ask({ stdin, stderr }: Terminal): Promise<string> {
  if (stdin.isTTY !== true || stdin.setRawMode === undefined) return await readAll(stdin);
  stderr.write('Mason key (not shown): ');
  stdin.setRawMode(true);
  try {
    return await readTyped(stdin);
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
    stderr.write('\n');
  }
}

async function readAll(stdin: Input): Promise<string> {
  let text = '';
  for await (const chunk of stdin) {
    text += String(chunk);
    if (text.length > BYTES_MAX) throw usageError(`standard input: expected a key, got more than ${BYTES_MAX} bytes`);
  }
  return text;
}

/** In raw mode the terminal neither shows what is typed nor understands it: the few keys that count are read here. */
async function readTyped(stdin: Input): Promise<string> {
  let typed = '';
  stdin.resume();
  for await (const [chunk] of on(stdin, 'data', { close: ['end', 'close'] })) {
    for (const character of String(chunk)) {
      if (character === '\r' || character === '\n' || character === '\u0004') return typed;
      if (character === '\u0003') throw usageError('stopped: nothing was changed');
      if (character === '\u007f' || character === '\b') typed = typed.slice(0, -1);
      else if (character === '\u0015') typed = '';
      else if (typed.length < BYTES_MAX) typed += character;
    }
  }
  return typed;
}
