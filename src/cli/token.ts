import { readFileSync, statSync } from 'node:fs';
import type { LeakedToken } from '../manage/leak-acts.ts';
import type { ShownToken } from '../manage/token-acts.ts';
import type { TokenView } from '../manage/token-view.ts';
import { usageError } from './cli-error.ts';
import { localTime } from './local-time.ts';
import type { Printer } from './printer.ts';
import type { Column } from './table.ts';
import { type Cli, collect, noun, type VerbContext, verb, withActs } from './verb.ts';

const COLUMNS: readonly Column<TokenView>[] = [
  ['TOKEN', (token) => token.id],
  ['TEAM', (token) => token.team],
  ['APP', (token) => token.app],
  ['STATE', (token) => [token.state, ...token.notices].join(', ')],
  ['EFFECTS', (token) => token.effects],
  ['EXPIRES', (token) => localTime(token.expiresAt)],
  ['LAST USED', (token) => (token.lastUsedAt === null ? 'never' : localTime(token.lastUsedAt))],
  ['SCOPES', (token) => token.scopes.join(' ')],
];

const LEAK_COLUMNS: readonly Column<LeakedToken & { place: number }>[] = [
  ['#', (leak) => leak.place],
  ['RESULT', (leak) => leak.result],
  ['TOKEN', (leak) => leak.id ?? null],
  ['TEAM', (leak) => leak.team ?? null],
  ['APP', (leak) => leak.app ?? null],
];

const LEAK_FILE_BYTES_MAX = 16_777_216;
const LEAKS_A_REQUEST = 1_000;

export function addToken(cli: Cli): void {
  const token = noun(cli, 'token', 'credentials of apps for this gateway; each is shown once');

  verb(
    token,
    'create',
    'makes a token for an app',
    'token create --team acme --app dashboard --scope fleet:read --expires 30d --from 10.0.0.0/8',
  )
    .requiredOption('--team <team>', 'the team')
    .requiredOption('--app <app>', 'the app')
    .requiredOption(
      '--scope <scope>',
      'what it may do: a scope of Mason’s or gateway:…; several times, or with commas',
      collect,
    )
    .option('--expires <duration>', '1m to 366d from now; else 90d')
    .option('--effects <effect>', 'the strongest effect: read, change, disruptive, destructive; else change')
    .option(
      '--from <range>',
      'address range from which it may be used; several times, or with commas; else any',
      collect,
    )
    .option('--urgency <0-7>', 'the most urgent Priority that it may ask for; else 0')
    .action(
      withActs(cli, async ({ acts, print }, { team, app, scope, expires, effects, from, urgency }) => {
        const input = { team, app, scopes: scope, expires, effects, from, urgency };
        await show(print, await acts.perform('token.create', input));
      }),
    );

  verb(token, 'list', 'lists tokens, and what expires soon or is not used', 'token list --team acme')
    .option('--team <team>', 'of this team only')
    .option('--app <app>', 'of apps of this name only')
    .action(
      withActs(cli, async ({ acts, print }, { team, app }) => {
        await print.list(
          await acts.perform('token.list', { team, app }),
          COLUMNS,
          'There are no tokens: token create --team <team> --app <app> --scope <scope>',
        );
      }),
    );

  verb(
    token,
    'rotate <id>',
    'makes a new secret under the same id; the old one works on for a while',
    'token rotate tok_… --grace 2h',
  )
    .option('--grace <duration>', 'how long the old one still works, at most as long as it would have; else 24h')
    .option('--expires <duration>', 'of the new one, from now; else 90d')
    .action(
      withActs(cli, async ({ acts, print }, { grace, expires }, [id]) => {
        await show(print, await acts.perform('token.rotate', { id, grace, expires }));
      }),
    );

  verb(
    token,
    'revoke [id]',
    'revokes a token, on every gateway within a second; with --from-file, all tokens of this gateway in a file',
    'token revoke --from-file leaked.txt',
  )
    .option('--from-file <file>', 'a text with leaked tokens anywhere in it')
    .action(
      withActs(cli, async (context, { fromFile }, [id]) => {
        if ((id === undefined) === (fromFile === undefined))
          throw usageError('expected either an id or --from-file, one of them');
        // The secret itself is no id, and stands in the shell's history now.
        if (id?.startsWith('mgw_'))
          throw usageError('expected the id of a token (tok_…), got a token: put it in a file and use --from-file');
        if (fromFile !== undefined) return await revokeLeaked(context, fromFile);
        const revoked = await context.acts.perform('token.revoke', { id });
        await context.print.one(revoked, [`Revoked the token ${revoked.id} of ${revoked.team}/${revoked.app}.`]);
      }),
    );
}

/** The only moment in which the token is seen: on a line of its own, so that it can be copied or cut out. */
async function show(print: Printer, { notes, ...made }: ShownToken): Promise<void> {
  await print.one({ ...made, notes }, [made.token]);
  await print.aside(
    `Shown this once. It is ${made.id} of ${made.team}/${made.app}, until ${localTime(made.expiresAt)}; give it to the app as ` +
      '"Authorization: Bearer <token>".',
  );
  if (made.graceUntil !== null) await print.aside(`The old one works until ${localTime(made.graceUntil)}.`);
  for (const note of notes) await print.aside(`Note: ${note}`);
}

async function revokeLeaked({ acts, print }: VerbContext, file: string): Promise<void> {
  const tokens = [...new Set(readText(file).match(/mgw_[0-9A-Za-z]{36}(?![0-9A-Za-z])/g) ?? [])];
  const data: (LeakedToken & { place: number })[] = [];
  for (let from = 0; from < tokens.length; from += LEAKS_A_REQUEST) {
    const answer = await acts.perform('token.revoke_leaked', { tokens: tokens.slice(from, from + LEAKS_A_REQUEST) });
    for (const leak of answer.data) data.push({ place: data.length + 1, ...leak });
  }
  await print.list({ data }, LEAK_COLUMNS, `${file}: nothing in it looks like a token of a gateway (mgw_…)`);
}

function readText(file: string): string {
  try {
    const { size } = statSync(file);
    if (size <= LEAK_FILE_BYTES_MAX) return readFileSync(file, 'utf8');
  } catch (error) {
    throw usageError(`${file}: cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  throw usageError(`${file}: expected at most ${LEAK_FILE_BYTES_MAX} bytes`);
}
