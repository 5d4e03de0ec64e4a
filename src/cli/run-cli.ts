import { CommanderError } from 'commander';
import { GatewayError } from '../domain/errors.ts';
import { errorAnswer } from '../http/errors.ts';
import { CliError } from './cli-error.ts';
import { problemLines } from './problem-lines.ts';
import { createProgram, type Ending } from './program.ts';
import type { Rooms, Terminal } from './rooms.ts';

/**
 * Runs one command.
 *
 * @param argv without the program's own name
 * @returns the exit code: 0 done, 1 failed or refused, 2 typed wrongly
 */
export async function runCli<Config>(
  argv: readonly string[],
  rooms: Rooms<Config>,
  terminal: Terminal,
): Promise<number> {
  const ending: Ending = { exitCode: 0 };
  try {
    await createProgram(rooms, terminal, ending).parseAsync([...argv], { from: 'user' });
    return ending.exitCode;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    const problem = told(error);
    terminal.stderr.write(problemLines(problem, argv.includes('--json')));
    return problem.kind === 'usage' ? 2 : 1;
  }
}

function told(error: unknown): { kind: 'usage' | 'failed'; type: string; message: string } {
  if (error instanceof CliError) return error;
  if (error instanceof CommanderError) {
    // Commander's words for a noun without a verb, or nothing at all.
    const isBare = error.code === 'commander.help';
    const message = isBare ? 'expected a command' : error.message.replace(/^error: /, '');
    return { kind: 'usage', type: 'invalid_request_error', message: `${message} (see --help)` };
  }
  if (error instanceof GatewayError) {
    const { type, message } = errorAnswer(error);
    return { kind: 'failed', type, message };
  }
  return { kind: 'failed', type: 'api_error', message: Error.isError(error) ? error.message : String(error) };
}
