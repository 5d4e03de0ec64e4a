import type { KeptBatch, KeptChain, KeptEvent } from '../../domain/archive.ts';
import type { SignedCheckpoint, SigningKey } from '../../domain/checkpoint.ts';
import type { RecordFilter } from '../../domain/record.ts';
import { canonicalJson, canonicalString } from '../canonical-json.ts';

/*
 * The export that can be verified, a line of JSON each, ASCII:
 *
 *   {"export":{"v":1,"at":…,"filter":{…}}}                                         first of all
 *   {"signingKey":{"id":…,"publicKey":…,"createdAt":…,"signedBy":{…}}}             all keys, oldest first
 *   {"chain":…,"firstSeq":…,"previousLink":…}                                      begins a chain
 *   {"chain":…,"seq":…,"batch":…,"digest":…,"targets":[…],"event":<bytes>}         an event
 *   {"chain":…,"batch":…,"firstSeq":…,"lastSeq":…,"link":…}                        ends a batch
 *   {"checkpoint":{"text":…,"keyId":…,"signature":…}}                              behind the batch that it names
 *   {"manifest":{"text":…,"keyId":…,"signature":…}}                                last of all
 *
 * `event` is the last field, so that its bytes, from behind `"event":` to before the last `}`, can be cut out with any tool:
 * their SHA-256 is `digest`. A batch's `link` is the SHA-256 of the link before and of the batch's digests, as raw bytes;
 * before a chain's first batch it is that of the chain's name. An export with a filter has events only, without chains, batches
 * and checkpoints around them: its manifest vouches for it. Lines are compared with what this file writes, byte for byte.
 */

/** What an export says first of all. */
export interface ExportHead {
  readonly v: 1;
  readonly at: number;
  readonly filter: RecordFilter;
}

export function headLine({ at, filter }: Omit<ExportHead, 'v'>): string {
  return `${canonicalJson({ export: { v: 1, at, filter } })}\n`;
}

export function keyLine({ id, publicKey, createdAt, signedBy }: SigningKey): string {
  const issuer = signedBy && { keyId: signedBy.keyId, signature: signedBy.signature };
  return `${canonicalJson({ signingKey: { id, publicKey, createdAt, signedBy: issuer } })}\n`;
}

export function chainLine({
  chain,
  firstSeq,
  previousLink,
}: Pick<KeptChain, 'chain' | 'firstSeq' | 'previousLink'>): string {
  return `{"chain":${canonicalString(chain)},"firstSeq":${firstSeq},"previousLink":"${hex(previousLink)}"}\n`;
}

/** An event's bytes may be gone: then they are `null`, and its digest is left. */
export function ndjsonEvent({
  chain,
  seq,
  batch,
  digest,
  targets,
  line,
}: Pick<KeptEvent, 'seq' | 'digest' | 'targets' | 'line'> & {
  readonly chain: string;
  readonly batch: number;
}): string {
  const list = targets.length === 0 ? '[]' : canonicalJson(targets);
  const place = `"chain":${canonicalString(chain)},"seq":${seq},"batch":${batch}`;
  return `{${place},"digest":"${hex(digest)}","targets":${list},"event":${line ?? 'null'}}\n`;
}

export function batchLine(
  chain: string,
  { n, firstSeq, lastSeq, link }: Pick<KeptBatch, 'n' | 'firstSeq' | 'lastSeq' | 'link'>,
): string {
  const place = `"batch":${n},"firstSeq":${firstSeq},"lastSeq":${lastSeq}`;
  return `{"chain":${canonicalString(chain)},${place},"link":"${hex(link)}"}\n`;
}

/** A checkpoint, or a manifest. */
export function signedLine(name: 'checkpoint' | 'manifest', { text, keyId, signature }: SignedCheckpoint): string {
  return `{"${name}":{"text":${canonicalString(text)},"keyId":${canonicalString(keyId)},"signature":${canonicalString(signature)}}}\n`;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}
