import type { Manifest, SignedCheckpoint, SigningKey } from '../../domain/checkpoint.ts';
import { canonicalJson } from '../canonical-json.ts';
import { batchLine, chainLine, type ExportHead, headLine, keyLine, signedLine } from '../export/ndjson.ts';
import type { CheckedEvent } from './event-check.ts';

/** A line of an export, read. */
export type ExportLine =
  | { readonly kind: 'head'; readonly head: ExportHead }
  | { readonly kind: 'key'; readonly key: SigningKey }
  | { readonly kind: 'chain'; readonly chain: string; readonly firstSeq: number; readonly previousLink: Uint8Array }
  | { readonly kind: 'event'; readonly chain: string; readonly batch: number; readonly event: CheckedEvent }
  | {
      readonly kind: 'batch';
      readonly chain: string;
      readonly n: number;
      readonly firstSeq: number;
      readonly lastSeq: number;
      readonly link: Uint8Array;
    }
  | { readonly kind: 'checkpoint'; readonly signed: SignedCheckpoint }
  | { readonly kind: 'manifest'; readonly signed: SignedCheckpoint }
  /** No line that an export has, or one that was written in another way. */
  | { readonly kind: 'unknown' };

const UNKNOWN: ExportLine = { kind: 'unknown' };
const EVENT_MARK = ',"event":';

/** Reads a line, without its line feed. What does not stand there exactly as an export writes it is `unknown`. */
export function exportLine(text: string): ExportLine {
  const mark = text.startsWith('{"chain":') ? text.indexOf(EVENT_MARK) : -1;
  if (mark !== -1) return eventOf(text, mark);
  const fields = parsed(text);
  if (fields === undefined) return UNKNOWN;
  const { line, written } = lineOf(fields);
  return written === `${text}\n` ? line : UNKNOWN;
}

/** What a manifest's text says. */
export function manifestOf({ text }: SignedCheckpoint): Manifest | undefined {
  return parsed(text) as Manifest | undefined;
}

function eventOf(text: string, mark: number): ExportLine {
  const [, chainText, seq, batch, digest = '', list = ''] = EVENT_HEAD.exec(text.slice(0, mark)) ?? [];
  const chain = chainText?.slice(1, -1);
  const targets = list === '[]' ? NO_TARGETS : parsed(list);
  if (!isText(chain) || !isList(targets) || !text.endsWith('}')) return UNKNOWN;
  if (list !== '[]' && canonicalJson(targets) !== list) return UNKNOWN;
  const bytes = text.slice(mark + EVENT_MARK.length, -1);
  const line = bytes === 'null' ? undefined : bytes;
  const event = { seq: Number(seq), digest: Buffer.from(digest, 'hex'), targets, line };
  return { kind: 'event', chain, batch: Number(batch), event };
}

const NO_TARGETS: readonly string[] = [];
/** What `ndjsonEvent` writes before an event's bytes: numbers and digests have one spelling. */
const EVENT_HEAD =
  /^\{"chain":("[ !#-[\]-~]*"),"seq":([1-9]\d{0,15}),"batch":(0|[1-9]\d{0,15}),"digest":"([0-9a-f]{64})","targets":(\[.*\])$/;

type Fields = Readonly<Record<string, unknown>>;

const NOTHING = { line: UNKNOWN, written: '' };

/** The line that these fields make, and how an export writes it. */
function lineOf(fields: Fields): { line: ExportLine; written: string } {
  const { export: head, signingKey, checkpoint, manifest, chain, firstSeq } = fields;
  if (head !== undefined) {
    return { line: { kind: 'head', head: head as ExportHead }, written: headLine(Object(head)) };
  }
  if (signingKey !== undefined) {
    const key = Object(signingKey) as SigningKey;
    if (!isText(key.publicKey) || !isText(key.id)) return NOTHING;
    return { line: { kind: 'key', key }, written: keyLine(key) };
  }
  if (checkpoint !== undefined || manifest !== undefined) {
    const kind = checkpoint === undefined ? 'manifest' : 'checkpoint';
    const signed = Object(checkpoint ?? manifest) as SignedCheckpoint;
    if (!isText(signed.text) || !isText(signed.keyId) || !isText(signed.signature)) return NOTHING;
    return { line: { kind, signed }, written: signedLine(kind, signed) };
  }
  if (!isText(chain) || !isCount(firstSeq)) return NOTHING;
  const { previousLink, batch, lastSeq, link } = fields;
  if (isText(previousLink)) {
    const line = { kind: 'chain' as const, chain, firstSeq, previousLink: Buffer.from(previousLink, 'hex') };
    return { line, written: chainLine(line) };
  }
  if (!isCount(batch) || !isCount(lastSeq) || !isText(link)) return NOTHING;
  const line = { kind: 'batch' as const, chain, n: batch, firstSeq, lastSeq, link: Buffer.from(link, 'hex') };
  return { line, written: batchLine(chain, line) };
}

function parsed(json: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null ? (value as Fields) : undefined;
  } catch {
    return undefined;
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function isList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(isText);
}
