import { readTeamsFile } from './read-teams-file.ts';
import type { Rooms } from './rooms.ts';
import { type Cli, verb, withActs } from './verb.ts';

export function addApply<Config>(cli: Cli, rooms: Rooms<Config>): void {
  verb(
    cli.program,
    'apply',
    'takes teams, with their apps and keys, to the state that a file describes; the same file again does nothing',
    'apply -f teams.yaml --dry-run',
  )
    .requiredOption('-f, --file <file>', 'YAML; secrets stand in it as {env: NAME} or {file: path} only')
    .option('--prune', 'remove what the file does not name')
    .option('--dry-run', 'show the difference, and do nothing')
    .action(
      withActs(cli, async ({ acts, print }, { file, prune, dryRun }) => {
        const { teams } = readTeamsFile(file, rooms.readVariable);
        const answer = await acts.perform('apply', { teams, prune, dryRun });
        const mark = answer.applied ? 'done' : 'would';
        await print.one(
          answer,
          answer.steps.map(({ says }) => `${mark}: ${says}`),
        );
        if (answer.steps.length === 0) await print.aside('Everything is as the file says: there was nothing to do.');
        for (const note of answer.notes) await print.aside(`Note: ${note}`);
      }),
    );
}
