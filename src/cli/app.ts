import type { AppView } from '../manage/app-acts.ts';
import { localTime } from './local-time.ts';
import type { Column } from './table.ts';
import { type Cli, noun, verb, withActs } from './verb.ts';

const COLUMNS: readonly Column<AppView>[] = [
  ['TEAM', (app) => app.team],
  ['APP', (app) => app.name],
  ['WEIGHT', (app) => app.weight],
  ['CREATED', (app) => localTime(app.createdAt)],
];

export function addApp(cli: Cli): void {
  const app = noun(cli, 'app', 'programs that call through the gateway; shares of the line are by app');

  verb(app, 'add', 'adds an app to a team', 'app add --team acme --name dashboard --weight 2')
    .requiredOption('--team <team>', 'the team')
    .requiredOption('--name <name>', 'name of the app, unique in the team')
    .option('--weight <number>', 'share of the line beside other waiting apps, 1 to 100; else 1')
    .action(
      withActs(cli, async ({ acts, print }, { team, name, weight }) => {
        const added = await acts.perform('app.add', { team, name, weight });
        await print.one(added, [`Added the app ${added.name} to the team ${added.team}.`]);
        await print.aside(
          `Next, a token for it: token create --team ${added.team} --app ${added.name} --scope fleet:read`,
        );
      }),
    );

  verb(app, 'list', 'lists apps', 'app list --team acme')
    .option('--team <team>', 'of this team only')
    .action(
      withActs(cli, async ({ acts, print }, { team }) => {
        await print.list(
          await acts.perform('app.list', { team }),
          COLUMNS,
          'There are no apps yet: app add --team <team> --name <name>',
        );
      }),
    );

  verb(app, 'set', 'changes an app', 'app set --team acme --name dashboard --weight 5')
    .requiredOption('--team <team>', 'the team')
    .requiredOption('--name <name>', 'the app')
    .requiredOption('--weight <number>', 'share of the line beside other waiting apps, 1 to 100')
    .action(
      withActs(cli, async ({ acts, print }, { team, name, weight }) => {
        const changed = await acts.perform('app.set', { team, name, weight });
        await print.one(changed, [`The app ${changed.name} now has the weight ${changed.weight}.`]);
      }),
    );

  verb(app, 'remove', 'removes an app; its tokens die at once', 'app remove --team acme --name dashboard')
    .requiredOption('--team <team>', 'the team')
    .requiredOption('--name <name>', 'the app')
    .action(
      withActs(cli, async ({ acts, print }, { team, name }) => {
        const answer = await acts.perform('app.remove', { team, name });
        await print.one(answer, [`Removed the app ${answer.removed}; tokens that died with it: ${answer.tokens}.`]);
      }),
    );
}
