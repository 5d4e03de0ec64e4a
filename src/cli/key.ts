import { type Command, Option } from 'commander';
import type { KeyView, NotedKey } from '../manage/key-view.ts';
import { CliError, usageError } from './cli-error.ts';
import { localTime } from './local-time.ts';
import { keyInArguments, readMasonKey } from './mason-key-input.ts';
import type { Printer } from './printer.ts';
import { safeText } from './safe-text.ts';
import { SPREAD_OPTION } from './spread.ts';
import type { Column } from './table.ts';
import { type Cli, collect, noun, verb, withActs } from './verb.ts';

const COLUMNS: readonly Column<KeyView>[] = [
  ['TEAM', (key) => key.team],
  ['KEY', (key) => key.name],
  ['ENDS IN', (key) => key.last4],
  ['SCOPES', (key) => key.scopes.join(' ')],
  ['BUDGET', (key) => key.budget],
  ['LIMIT', (key) => key.limit ?? 'auto'],
  ['LAST USED', (key) => (key.lastUsedAt === null ? 'never' : localTime(key.lastUsedAt))],
  ['FINGERPRINT', (key) => key.fingerprint],
];

export function addKey(cli: Cli): void {
  const key = noun(cli, 'key', 'Mason API keys of teams, sealed: nobody reads them back');

  refusingKeys(
    budgetOptions(
      verb(
        key,
        'add',
        'adds a Mason key: asked for at a prompt, piped in, or from a file, never an argument',
        'key add --team acme --name main --scope fleet:read,notify:reboot --limit 100/1s',
      )
        .option('--team <team>', 'the team (required)')
        .option('--name <name>', 'name of the key, unique in the team (required)')
        .option(
          '--scope <scope>',
          'a scope that the key has in Mason; several times, or with commas (required)',
          collect,
        )
        .option('--from-file <file>', 'read the key from this file'),
    ),
  ).action(
    withActs(cli, async (context, { team, name, scope, limit, burst, spread, budget, fromFile, key: given }, words) => {
      // Asked before what is missing, which commander would have told first.
      if (words.length > 0 || given !== undefined) throw keyInArguments();
      requireAll({ team, name, scope });
      const secret = await readMasonKey(context, fromFile);
      const input = { team, name, key: secret, scopes: scope, limit, burst, spreadMs: spread, budget };
      const added = await context.acts.perform('key.add', input);
      await context.print.one(added, [
        `Added the key ${added.name} to the team ${added.team}, on the budget ${added.budget}.`,
      ]);
      await tellNotes(context.print, added);
    }),
  );

  verb(key, 'list', 'lists keys, without the keys themselves', 'key list --team acme')
    .option('--team <team>', 'of this team only')
    .action(
      withActs(cli, async ({ acts, print }, { team }) => {
        await print.list(
          await acts.perform('key.list', { team }),
          COLUMNS,
          'There are no keys yet: key add --team <team> --name <name> --scope <scope>',
        );
      }),
    );

  budgetOptions(
    verb(
      key,
      'set',
      'changes the scopes of a key, or the limit of its budget',
      'key set --team acme --name main --limit 600/60s --burst 10',
    )
      .requiredOption('--team <team>', 'the team')
      .requiredOption('--name <name>', 'the key')
      .option('--scope <scope>', 'the scopes that the key has in Mason, all of them', collect),
  ).action(
    withActs(cli, async ({ acts, print }, { team, name, scope, limit, burst, spread, budget }) => {
      const input = { team, name, scopes: scope, limit, burst, spreadMs: spread, budget };
      const set = await acts.perform('key.set', input);
      await print.one(set, [
        `The key ${set.name}: scopes ${set.scopes.join(' ')}; budget ${set.budget}, limit ${set.limit ?? 'auto'}.`,
      ]);
      await tellNotes(print, set);
    }),
  );

  verb(key, 'test', 'tries a key with one harmless call, in its turn', 'key test --team acme --name main')
    .requiredOption('--team <team>', 'the team')
    .requiredOption('--name <name>', 'the key')
    .action(
      withActs(cli, async ({ acts, print }, { team, name }) => {
        const answer = await acts.perform('key.test', { team, name });
        await print.one(answer, [`The key ${name} is ${answer.verdict}: ${safeText(answer.message)}`]);
        if (answer.verdict !== 'alive') {
          throw new CliError('failed', 'api_error', `the key ${name} is ${answer.verdict}`);
        }
      }),
    );

  refusingKeys(
    verb(
      key,
      'rotate',
      'puts another Mason key in the place of one, once Mason has taken it; no call fails meanwhile',
      'key rotate --team acme --name main --from-file new.key',
    )
      .option('--team <team>', 'the team (required)')
      .option('--name <name>', 'the key (required)')
      .option('--from-file <file>', 'read the new key from this file; else it is asked for at a prompt, or piped in'),
  ).action(
    withActs(cli, async (context, { team, name, fromFile, key: given }, words) => {
      if (words.length > 0 || given !== undefined) throw keyInArguments();
      requireAll({ team, name });
      const secret = await readMasonKey(context, fromFile);
      const rotated = await context.acts.perform('key.rotate', { team, name, key: secret });
      await context.print.one(rotated, [`The key ${rotated.name} of the team ${rotated.team} is another now.`]);
      await context.print.aside(
        'Calls fall back on the one before for a day, should Mason refuse this one. When all is well, delete that one in ' +
          `Mason’s web app, and: key forget --team ${rotated.team} --name ${rotated.name}`,
      );
      await tellNotes(context.print, rotated);
    }),
  );

  verb(key, 'forget', 'forgets the key before the last rotation, at once', 'key forget --team acme --name main')
    .requiredOption('--team <team>', 'the team')
    .requiredOption('--name <name>', 'the key')
    .action(
      withActs(cli, async ({ acts, print }, { team, name }) => {
        const forgotten = await acts.perform('key.forget', { team, name });
        await print.one(forgotten, [`The key before ${forgotten.name} of the team ${forgotten.team} is forgotten.`]);
      }),
    );

  verb(
    key,
    'remove',
    'removes a key; with the last key of a budget the budget goes',
    'key remove --team acme --name main',
  )
    .requiredOption('--team <team>', 'the team')
    .requiredOption('--name <name>', 'the key')
    .action(
      withActs(cli, async ({ acts, print }, { team, name }) => {
        const answer = await acts.perform('key.remove', { team, name });
        await print.one(answer, [`Removed the key ${answer.removed} of the team ${team}.`]);
        await print.aside('In Mason it is as valid as before: delete it in Mason’s web app too.');
      }),
    );
}

function budgetOptions(command: Command): Command {
  return command
    .option('--limit <calls/window>', 'how many calls Mason takes: 100/1s, 600/60s; or "auto": it is learnt')
    .option('--burst <calls>', 'calls that may leave at once after idleness; or "auto"')
    .option(...SPREAD_OPTION)
    .option('--budget <name>', 'the budget that the key shares, made when it is not there');
}

/** Takes a key that stands among the arguments, so that it is refused with a reason, instead of as a typing error. */
function refusingKeys(command: Command): Command {
  return command
    .usage('[options]')
    .argument('[words...]')
    .configureHelp({ visibleArguments: () => [] })
    .addOption(new Option('--key [key]').hideHelp());
}

function requireAll(options: Readonly<Record<string, unknown>>): void {
  const missing = Object.keys(options).filter((name) => options[name] === undefined);
  if (missing.length > 0) throw usageError(`required: ${missing.map((name) => `--${name}`).join(', ')} (see --help)`);
}

async function tellNotes(print: Printer, { notes }: NotedKey): Promise<void> {
  for (const note of notes) await print.aside(`Note: ${note}`);
}
