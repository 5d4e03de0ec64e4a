import type { Artifact } from './account.ts';
import { type Answer, errorAnswer, notFound } from './answer.ts';
import { type Call, param } from './call.ts';

/**
 * An artifact itself, whole or a part of it. Of what was uploaded only length and digest were kept: the bytes served are those
 * of the pattern, in that length. Who uploads the pattern gets back what went up.
 */
export function downloadArtifact(call: Call): Answer {
  const id = param(call, 'id');
  const artifact = call.account.artifacts.find((other) => String(other.id) === id);
  if (artifact === undefined) throw notFound(`Artifact ${id} does not exist`);
  const { headers } = call;
  const validators = ['ETag', etagOf(artifact), 'Last-Modified', new Date(artifact.createdAt).toUTCString()];
  const known = ['Accept-Ranges', 'bytes', ...validators];
  if (headers['if-match'] !== undefined && !names(headers['if-match'], artifact)) {
    return errorAnswer(412, 'invalid_request_error', 'The artifact is another one by now', known);
  }
  if (headers['if-none-match'] !== undefined && names(headers['if-none-match'], artifact)) {
    return { status: 304, headers: known, body: '' };
  }
  const { bytes } = artifact;
  const ifRange = headers['if-range'];
  const asked = ifRange === undefined || names(String(ifRange), artifact) ? headers.range : undefined;
  const range = asked === undefined ? undefined : readRange(asked, bytes);
  if (range === 'beyond') {
    const whole = ['Content-Range', `bytes */${bytes}`];
    return errorAnswer(416, 'invalid_request_error', `The artifact has ${bytes} bytes`, [...known, ...whole]);
  }
  const { start, end } = range ?? { start: 0, end: bytes };
  const content = ['Content-Type', 'application/octet-stream', 'Content-Length', String(end - start)];
  const part = range === undefined ? [] : ['Content-Range', `bytes ${start}-${end - 1}/${bytes}`];
  const status = range === undefined ? 200 : 206;
  return { status, headers: [...known, ...content, ...part], body: '', stretch: { start, end } };
}

function etagOf({ id, sha256 }: Artifact): string {
  return `"${id}-${sha256.slice(0, 16)}"`;
}

function names(validators: string, artifact: Artifact): boolean {
  return validators === '*' || validators.split(/\s*,\s*/).includes(etagOf(artifact));
}

/** RFC 9110 section 14.1.2. One range is served; several, and what is none, count as no range at all. */
function readRange(text: string, bytes: number): { start: number; end: number } | 'beyond' | undefined {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(text) ?? [];
  if (first === '' && last === '') return undefined;
  if (first === '') return last === '0' ? 'beyond' : { start: Math.max(0, bytes - Number(last)), end: bytes };
  const start = Number(first);
  if (last !== '' && Number(last) < start) return undefined;
  if (start >= bytes) return 'beyond';
  return { start, end: last === '' ? bytes : Math.min(bytes, Number(last) + 1) };
}
