import type { Command } from 'commander';
import type { SigningKeyView } from '../manage/audit-proof-acts.ts';
import { localTime } from './local-time.ts';
import { type Cli, verb, withActs } from './verb.ts';

export function addAuditKeys(cli: Cli, audit: Command): void {
  verb(
    audit,
    'keys',
    'shows the public keys that the record is signed with, to be kept elsewhere',
    'audit keys > signing.pem',
  )
    .option('--rotate', 'make a new one first, signed by the one before, which signs from now on')
    .action(
      withActs(cli, async ({ acts, print }, { rotate }) => {
        if (rotate === true) await acts.perform('audit.key.rotate');
        const keys = await acts.perform('audit.keys');
        // Whoever reads PEM passes over all that stands between its blocks.
        await print.one(keys, keys.data.flatMap(keyLines));
      }),
    );
}

function keyLines({ id, createdAt, signedBy, current, pem }: SigningKeyView): string[] {
  const from = signedBy === null ? 'the first' : `signed by ${signedBy}`;
  return [
    `Key ${id}, since ${localTime(createdAt)}, ${from}${current ? '; it signs now' : ''}`,
    ...pem.trimEnd().split('\n'),
  ];
}
