import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import type { Command, OptionValues } from 'commander';
import { isWellFormedToken, tokenDigest } from '../vault/tokens.ts';
import { usageError } from './cli-error.ts';

const FILE_BYTES_MAX = 65_536;

/** Options that say which events of the record are asked for. */
export function filterOptions(command: Command): Command {
  return command
    .option('--since <time>', 'from then on: an ISO time, or 15m, 2h, 7d ago')
    .option('--until <time>', 'before then')
    .option('--team <team>', 'of this team')
    .option('--app <app>', 'of apps of this name')
    .option('--person <id>', 'by this person')
    .option('--token <id>', 'by the token of this id, tok_…')
    .option('--token-file <file>', 'by the token in this file, as one that leaked')
    .option('--key <fingerprint>', 'with the Mason key of this fingerprint (key list)')
    .option('--operation <operation>', 'such as device.list; or an administrative act')
    .option('--effect <effect>', 'read, change, disruptive or destructive')
    .option('--device <id>', 'calls that acted on this device or group')
    .option('--group <id>', 'calls that acted on this group')
    .option('--status <status>', 'answered with this status')
    .option('--error-source <source>', 'errors of: gateway or mason')
    .option('--kind <kind>', 'intent, outcome, refused or admin')
    .option('--request-id <id>', 'of this call');
}

/**
 * What the acts take, of these options.
 *
 * @throws CliError when a token stands where its id belongs, or the file holds none
 */
export function filterInput({ token, tokenFile, key, ...options }: OptionValues): Readonly<Record<string, unknown>> {
  if (typeof token === 'string' && token.startsWith('mgw_')) {
    throw usageError(
      'a token is never an argument: other accounts see it in the process list, and it stays in the shell’s history. ' +
        'Use --token with its id, tok_…, or --token-file FILE; and revoke it, if it was a real one',
    );
  }
  return {
    ...options,
    tokenId: token,
    keyFingerprint: key,
    tokenSha256: typeof tokenFile === 'string' ? tokenDigest(tokenIn(tokenFile)) : undefined,
  };
}

/** Only its digest leaves this process. */
function tokenIn(file: string): string {
  const found = textOf(file).trim();
  if (!isWellFormedToken(found)) throw usageError(`${file}: expected one gateway token, mgw_…, and nothing else`);
  return found;
}

function textOf(file: string): string {
  try {
    const descriptor = openSync(file, 'r');
    try {
      if (fstatSync(descriptor).size > FILE_BYTES_MAX)
        throw usageError(`${file}: expected one token, found a large file`);
      return readFileSync(descriptor, 'latin1');
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    if (Error.isError(error) && 'code' in error) throw usageError(`${file}: cannot be read (${String(error.code)})`);
    throw error;
  }
}
