import { basename } from 'node:path';
import type { Checkpoint, Manifest, SignedCheckpoint } from '../../domain/checkpoint.ts';
import type { Finding } from './finding.ts';
import type { KeyRing } from './key-ring.ts';
import { readLines } from './read-lines.ts';
import type { WitnessBook, WitnessPoint } from './witness-book.ts';

/** Who says it, in words, and whether it was kept elsewhere. */
export type WitnessSource = Pick<WitnessPoint, 'source' | 'isOutside'>;

/**
 * Takes what a file says of chains: each line of JSON with a `checkpoint` or a `manifest` in it, as in a gateway's log, a sink's
 * file or an export. Other lines are passed over.
 *
 * @throws the file system's error
 */
export async function readWitness(
  path: string,
  keys: KeyRing,
  book: WitnessBook,
  onFinding: (finding: Finding) => void,
): Promise<void> {
  const source = { source: basename(path), isOutside: true };
  let count = 0;
  for await (const { lines } of readLines(path)) {
    for (const { text, number } of lines) {
      const signed = signedIn(text);
      if (signed === undefined) continue;
      const { problem } = keys.judge(signed.text, signed);
      if (problem !== undefined) onFinding({ message: `${basename(path)}, line ${number}: no witness: ${problem}` });
      else for (const point of pointsOf(signed.text, source)) book.add(point);
      count += 1;
    }
  }
  if (count === 0) onFinding({ message: `${basename(path)}: expected checkpoints or a manifest in it, found none` });
}

/** Where the run before a run stood, the chains of other gateways, heads: all that a signed text says of chains. */
export function pointsOf(text: string, source: WitnessSource): WitnessPoint[] {
  const said = parsed(text) as Partial<Checkpoint & Manifest> | undefined;
  if (said === undefined || said.at === undefined) return [];
  const { at } = said;
  if (said.heads !== undefined) return said.heads.map(({ chain, seq, link }) => ({ chain, seq, link, at, ...source }));
  if (said.chain === undefined || said.seq === undefined || said.link === undefined) return [];
  return [{ chain: said.chain, seq: said.seq, link: said.link, at, ...source }, ...seenIn(text, source)];
}

/** What a checkpoint says of other gateways' chains. */
export function seenIn(text: string, { source, isOutside }: WitnessSource): WitnessPoint[] {
  if (text.endsWith('"seen":[]}')) return [];
  const { chain: by, seen = [], at } = (parsed(text) ?? {}) as Partial<Checkpoint>;
  return seen.map(({ chain, seq, link }) => ({
    chain,
    seq,
    link,
    isOutside,
    source: isOutside ? source : `a checkpoint of ${by}`,
    ...(at === undefined ? {} : { at }),
  }));
}

/**
 * Looks at the line only where it may hold what is looked for: logs are long. Who collects logs may put a name or a time before
 * each line, which is no reason to lose a witness.
 */
function signedIn(line: string): SignedCheckpoint | undefined {
  if (!line.includes('"signature"')) return undefined;
  const { checkpoint, manifest } = Object(parsed(line.slice(line.indexOf('{')))) as {
    checkpoint?: unknown;
    manifest?: unknown;
  };
  const { text, keyId, signature } = Object(checkpoint ?? manifest) as Readonly<Record<string, unknown>>;
  if (typeof text !== 'string' || typeof keyId !== 'string' || typeof signature !== 'string') return undefined;
  return { text, keyId, signature };
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
