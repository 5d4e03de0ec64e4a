import { Command } from 'commander';
import { addApp } from './app.ts';
import { addApply } from './apply.ts';
import { addAudit } from './audit.ts';
import { addBudget } from './budget.ts';
import { addConfig } from './config.ts';
import { addKey } from './key.ts';
import { addLimit } from './limit.ts';
import { addPerson } from './person.ts';
import { reachActs } from './reach-acts.ts';
import type { Rooms, Terminal } from './rooms.ts';
import { addSession } from './session.ts';
import { addSignInLink } from './sign-in-link.ts';
import { addStream } from './stream.ts';
import { addTeam } from './team.ts';
import { addToken } from './token.ts';
import { addUsage } from './usage.ts';
import type { Cli } from './verb.ts';

/** What the verbs that run a program give back. */
export interface Ending {
  exitCode: number;
}

/** The whole command line. Commander's own exits and error lines are turned into exceptions: see `runCli`. */
export function createProgram<Config>(rooms: Rooms<Config>, terminal: Terminal, ending: Ending): Command {
  const program = new Command('gateway')
    .description('Runs and manages mason-gateway: one door in front of the Mason Platform API.')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.stdout.write(text),
      // Errors are told once, by whoever catches the exception.
      writeErr: () => {},
      outputError: () => {},
    })
    .helpCommand(false)
    .addHelpText(
      'after',
      '\nExamples:\n  npm run -s gateway -- team add acme\n  npm run -s gateway -- audit tail -f\n  npm run -s gateway -- token create --help',
    );
  const cli: Cli = { program, terminal, reach: () => reachActs(rooms) };

  program
    .command('serve')
    .description('runs the gateway, as "npm start" does')
    .addHelpText('after', '\nExample:\n  npm run -s gateway -- serve')
    .action(async () => {
      ending.exitCode = await rooms.serve();
    });
  program
    .command('simulate')
    .description('runs a simulated Mason to develop and test against; its options: simulate --help')
    .helpOption(false)
    .allowUnknownOption()
    .argument('[options...]')
    .usage('[options]')
    .configureHelp({ visibleArguments: () => [] })
    .action(async (options: readonly string[]) => {
      ending.exitCode = await rooms.simulate(options);
    });
  addConfig(cli, rooms);
  addApply(cli, rooms);
  addTeam(cli);
  addKey(cli);
  addBudget(cli);
  addLimit(cli);
  addApp(cli);
  addToken(cli);
  addPerson(cli);
  addSession(cli);
  addStream(cli);
  addSignInLink(cli, rooms);
  addAudit(cli, rooms);
  addUsage(cli);
  return program;
}
