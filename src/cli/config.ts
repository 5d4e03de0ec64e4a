import type { Command } from 'commander';
import { CliError } from './cli-error.ts';
import { Printer } from './printer.ts';
import type { Rooms } from './rooms.ts';
import { safeJson } from './safe-text.ts';
import { type Cli, noun, verb } from './verb.ts';

export function addConfig<Config>(cli: Cli, rooms: Rooms<Config>): void {
  const config = noun(cli, 'config', 'the settings in force');

  verb(config, 'check', 'checks the settings, and tells every problem at once', 'config check').action(
    async (_options: unknown, command: Command) => {
      const problems = await rooms.fileProblems(rooms.loadConfig());
      if (problems.length > 0) throw new CliError('failed', 'invalid_request_error', problems.join('\n'));
      await printerFor(cli, command).one({ ok: true }, ['The settings are in order.']);
    },
  );

  verb(config, 'show', 'shows the settings in force; there are no secrets among them', 'config show').action(
    async (_options: unknown, command: Command) => {
      const described = rooms.describeConfig(rooms.loadConfig());
      await printerFor(cli, command).one(described, [safeJson(described, 2)]);
    },
  );
}

function printerFor(cli: Cli, command: Command): Printer {
  return new Printer(command.opts()['json'] === true, cli.terminal.stdout, cli.terminal.stderr);
}
