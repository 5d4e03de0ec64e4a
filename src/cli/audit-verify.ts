import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { publicKeysInPem } from '../audit/signing-key.ts';
import { ArchiveEvidence } from '../audit/verify/archive-evidence.ts';
import { ExportEvidence } from '../audit/verify/export-evidence.ts';
import { type Verification, type VerifyOptions, verifyRecord } from '../audit/verify/verify-record.ts';
import { CliError, usageError } from './cli-error.ts';
import { Progress } from './progress.ts';
import type { Rooms } from './rooms.ts';
import { safeText } from './safe-text.ts';
import { type Cli, collect, verb, withActs } from './verb.ts';
import { findingLine, verificationLines } from './verification-lines.ts';

export function addAuditVerify<Config>(cli: Cli, audit: Command, rooms: Rooms<Config>): void {
  verb(
    audit,
    'verify',
    'checks that nobody altered the record: this gateway’s, whether it runs or not, or an export',
    'audit verify --export record.ndjson --witness gateway.log --public-key signing.pem',
  )
    .option('--export <file>', 'check this export instead: needs neither gateway nor network')
    .option('--witness <file>', 'a log, a sink’s file or an export, kept elsewhere; several times', collect)
    .option('--public-key <file>', 'trust only the keys in this PEM file, and those that they signed')
    .action(
      withActs(cli, async ({ print, stderr }, { export: exported, witness, publicKey }) => {
        const progress = new Progress(stderr);
        const options = {
          ...(witness === undefined ? {} : { witnesses: witness as string[] }),
          ...(publicKey === undefined ? {} : { publicKeys: keysIn(String(publicKey)) }),
          onProgress: ({ events, chain }) => progress.tell(() => `${events} events, at ${safeText(chain)}`),
          onFinding: (finding) => {
            progress.end();
            if (!print.json) stderr.write(`${findingLine(finding)}\n`);
          },
        } satisfies Omit<VerifyOptions, 'evidence'>;
        const found = await readable(() =>
          exported === undefined ? ownRecord(rooms, options) : ofExport(String(exported), options),
        );
        progress.end();
        await print.one(found, verificationLines(found));
        if (!found.ok) throw new CliError('failed', 'record_altered', `${found.findingsTotal} findings: see above`);
      }),
    );
}

type Options = Omit<VerifyOptions, 'evidence'>;

function ofExport(file: string, options: Options): Promise<Verification> {
  return verifyRecord({ ...options, evidence: new ExportEvidence(file) });
}

async function ownRecord<Config>(rooms: Rooms<Config>, options: Options): Promise<Verification> {
  await using kept = await rooms.openKeptRecord(rooms.loadConfig());
  return await verifyRecord({ ...options, evidence: new ArchiveEvidence(kept.archive, kept.keys) });
}

function keysIn(file: string): Buffer[] {
  try {
    const keys = publicKeysInPem(readFileSync(file, 'latin1'));
    if (keys.length > 0) return keys;
  } catch (error) {
    throw usageError(`${file}: expected Ed25519 public keys in PEM: ${Error.isError(error) ? error.message : ''}`);
  }
  throw usageError(`${file}: expected public keys in PEM, found none`);
}

/** A file that is not there was typed wrongly. */
async function readable<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    const { code, path } = Object(error) as { code?: unknown; path?: unknown };
    if (typeof path === 'string') throw usageError(`${path}: cannot be read (${String(code)})`);
    throw error;
  }
}
