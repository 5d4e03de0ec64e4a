import type { ChainResult } from '../audit/verify/chain-check.ts';
import type { Finding } from '../audit/verify/finding.ts';
import type { Verification } from '../audit/verify/verify-record.ts';
import { safeText } from './safe-text.ts';

/** Chains that are named one by one; of more the number is told. */
const CHAINS_NAMED_MAX = 12;

/** A finding, in one line. */
export function findingLine({ chain, seq, line, message }: Finding): string {
  const place = [
    ...(chain === undefined ? [] : [`chain ${chain}`]),
    ...(seq === undefined ? [] : [`event ${seq}`]),
    ...(line === undefined ? [] : [`line ${line}`]),
  ];
  return safeText(`NOT AS IT WAS  ${[place.join(', '), message].filter(Boolean).join(': ')}`);
}

/** What was proven, and what was not. */
export function verificationLines(found: Verification): string[] {
  const { chains, events, batches, checkpoints, keys } = found;
  return [
    found.ok ? 'Nothing was found altered.' : `${found.findingsTotal} findings: the record is not as it was written.`,
    '',
    found.ok ? 'Proven:' : 'Checked:',
    `  ${events} events in ${batches} batches of ${chains.length} ${chains.length === 1 ? 'chain' : 'chains'}: their bytes, digests, links and sequence.`,
    `  ${checkpoints} signed checkpoints on these chains; keys: ${keys.trusted.join(', ') || 'none'}.`,
    ...witnessed(chains),
    ...(found.ok ? pruned(chains) : []),
    '',
    ...notProven(found),
  ].map((line) => safeText(line));
}

function witnessed(chains: readonly ChainResult[]): string[] {
  return named(
    chains.filter(({ witnessedSeq }) => witnessedSeq > 0),
    ({ chain, witnessedSeq, witness }) => `  Seen by ${witness}: ${chain} up to event ${witnessedSeq}.`,
    (count) => `  ${count} more chains were seen by witnesses from outside.`,
  );
}

/** Where nothing was found, an event on record says so of each of them. */
function pruned(chains: readonly ChainResult[]): string[] {
  return [
    ...named(
      chains.filter(({ firstSeq }) => firstSeq > 1),
      ({ chain, firstSeq }) => `  Pruned, as audit.prune on record says: ${chain} before event ${firstSeq}.`,
      (count) => `  ${count} more chains were pruned, as audit.prune on record says.`,
    ),
    ...named(
      chains.filter(({ bytesGone }) => bytesGone > 0),
      ({ chain, bytesGone }) =>
        `  Bytes of ${bytesGone} events of ${chain} were let go, as the record says; digests stayed.`,
      (count) => `  ${count} more chains let bytes of events go, as the record says.`,
    ),
  ];
}

function notProven(found: Verification): string[] {
  const lines = [...unproven(found), ...found.notes.map((note) => `  ${note}`)];
  return lines.length === 0 ? ['Every event was seen by a witness from outside.'] : ['Not proven:', ...lines];
}

function unproven({ chains, keys }: Verification): string[] {
  const open = chains.filter(({ lastSeq, witnessedSeq }) => witnessedSeq < lastSeq);
  return [
    ...named(
      open,
      ({ chain, witnessedSeq }) =>
        witnessedSeq > 0
          ? `  Nothing after event ${witnessedSeq} of ${chain} is witnessed by anything outside.`
          : `  No event of ${chain} is witnessed by anything outside.`,
      (count) => `  Nor are the ends of ${count} more chains.`,
    ),
    ...(open.length === 0
      ? []
      : ['  Who holds the signing key could rewrite what is not witnessed; who can write the files could cut it off.']),
    ...(keys.fromOutside
      ? []
      : [
          '  That the keys are this gateway’s: they were taken from what was checked. Compare their ids, or give --public-key.',
        ]),
    ...chains
      .filter(({ bytesGone }) => bytesGone > 0)
      .slice(0, CHAINS_NAMED_MAX)
      .map(
        ({ chain, bytesGone }) =>
          `  What ${bytesGone} events of ${chain} said: retention or erasure took it, their digests stand.`,
      ),
  ];
}

function named(
  chains: readonly ChainResult[],
  line: (chain: ChainResult) => string,
  more: (count: number) => string,
): string[] {
  // The newest are what matters most.
  const shown = chains.slice(-CHAINS_NAMED_MAX).map(line);
  return chains.length > shown.length ? [...shown, more(chains.length - shown.length)] : shown;
}
