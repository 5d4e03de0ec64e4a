import { Command, type OptionValues } from 'commander';
import type { ActClient } from './act-client.ts';
import { Printer } from './printer.ts';
import type { Terminal } from './rooms.ts';

/** What a verb's code works with. */
export interface VerbContext extends Terminal {
  readonly print: Printer;
  readonly acts: ActClient;
}

/** What the nouns are added to. */
export interface Cli {
  readonly program: Command;
  readonly terminal: Terminal;
  readonly reach: () => Promise<ActClient>;
}

/** A noun: what verbs are put under. Without a verb it shows its help. */
export function noun(cli: Cli, name: string, summary: string): Command {
  return cli.program.command(name).description(summary).helpCommand(false);
}

/** A verb, with its example; `--json` comes with each. */
export function verb(parent: Command, form: string, summary: string, example: string): Command {
  return parent
    .command(form)
    .description(summary)
    .option('--json', 'answer in JSON')
    .addHelpText('after', `\nExample:\n  npm run -s gateway -- ${example}`);
}

/** Makes an action of `act`: gives the acts back, if it reached for them, whatever happens. */
export function withActs(
  cli: Cli,
  act: (context: VerbContext, options: OptionValues, words: readonly string[]) => Promise<void>,
): (...given: unknown[]) => Promise<void> {
  return async (...given) => {
    const command = given.at(-1);
    if (!(command instanceof Command)) throw new TypeError('expected to be called by commander');
    const options = command.opts();
    const print = new Printer(options['json'] === true, cli.terminal.stdout, cli.terminal.stderr);
    await using acts = reachedWhenNeeded(cli.reach);
    await act({ ...cli.terminal, print, acts }, options, command.args);
  };
}

/** What is typed wrongly shall be told before a store is opened for it. */
function reachedWhenNeeded(reach: () => Promise<ActClient>): ActClient {
  let reached: Promise<ActClient> | undefined;
  return {
    perform(name, input) {
      reached ??= reach();
      return reached.then((acts) => acts.perform(name, input));
    },
    async [Symbol.asyncDispose]() {
      // Where it could not be reached, whoever asked was told.
      await (await reached?.catch(() => undefined))?.[Symbol.asyncDispose]();
    },
  };
}

/** For options that may be given several times, or once with commas. */
export function collect(value: string, before: readonly string[] | undefined): readonly string[] {
  return [
    ...(before ?? []),
    ...value
      .split(',')
      .map((part) => part.trim())
      .filter(Boolean),
  ];
}
