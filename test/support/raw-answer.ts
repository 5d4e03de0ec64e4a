/** An answer as its bytes say. */
export interface RawAnswer {
  readonly status: number;
  /** Lower-case names; repeated ones joined with a line feed, which no header can contain. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** Statuses of the interim answers before it. */
  readonly interim: readonly number[];
  /** False: the connection ended before the framing said so. */
  readonly complete: boolean;
}

const HEAD_END = Buffer.from('\r\n\r\n');
const STATUS_LINE = /^HTTP\/1\.1 (\d{3}) [\t\x20-\x7e]*$/;
const FIELD_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*$/;

/**
 * Reads one final answer from the beginning of `bytes`, with nothing forgiven: a gateway's own answers must leave no two
 * readings (RFC 9112 sections 4, 5 and 6.3).
 *
 * @param ended whether nothing more will come
 * @returns undefined when more must come first
 * @throws when it is no HTTP/1.1
 */
export function readAnswer(
  bytes: Buffer,
  ended: boolean,
  method: string,
): { answer: RawAnswer; bytes: number } | undefined {
  const interim: number[] = [];
  let at = 0;
  for (;;) {
    const end = bytes.indexOf(HEAD_END, at);
    if (end === -1) return undefined;
    const { status, headers } = readHead(bytes.toString('latin1', at, end));
    at = end + HEAD_END.length;
    if (status < 200 && status !== 101) {
      interim.push(status);
      continue;
    }
    const body = readBody(bytes, at, ended, status, headers, method);
    if (body === undefined) return undefined;
    const answer = { status, headers, interim, body: body.content, complete: body.complete };
    return { answer, bytes: body.end };
  }
}

function readHead(text: string): { status: number; headers: Record<string, string> } {
  const [first = '', ...lines] = text.split('\r\n');
  const status = STATUS_LINE.exec(first)?.[1];
  if (status === undefined) throw new Error(`no status line: ${JSON.stringify(first)}`);
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const field = FIELD_LINE.exec(line);
    if (field === null) throw new Error(`no header line: ${JSON.stringify(line)}`);
    const name = (field[1] as string).toLowerCase();
    const value = field[2] as string;
    headers[name] = headers[name] === undefined ? value : `${headers[name]}\n${value}`;
  }
  return { status: Number(status), headers };
}

interface Body {
  readonly content: Buffer;
  readonly end: number;
  readonly complete: boolean;
}

function readBody(
  bytes: Buffer,
  at: number,
  ended: boolean,
  status: number,
  headers: Readonly<Record<string, string>>,
  method: string,
): Body | undefined {
  const { 'content-length': length, 'transfer-encoding': coding } = headers;
  if (length !== undefined && coding !== undefined) throw new Error('both Content-Length and Transfer-Encoding');
  if (method === 'HEAD' || status === 204 || status === 304) {
    return { content: Buffer.alloc(0), end: at, complete: true };
  }
  if (coding !== undefined) {
    if (coding !== 'chunked') throw new Error(`Transfer-Encoding: ${coding}`);
    return readChunks(bytes, at, ended);
  }
  if (length === undefined) {
    if (!ended) return undefined;
    return { content: bytes.subarray(at), end: bytes.length, complete: true };
  }
  if (!/^\d+$/.test(length)) throw new Error(`Content-Length: ${length}`);
  const end = at + Number(length);
  if (bytes.length < end) {
    return ended ? { content: bytes.subarray(at), end: bytes.length, complete: false } : undefined;
  }
  return { content: bytes.subarray(at, end), end, complete: true };
}

function readChunks(bytes: Buffer, start: number, ended: boolean): Body | undefined {
  const pieces: Buffer[] = [];
  let at = start;
  for (;;) {
    const line = bytes.indexOf('\r\n', at);
    if (line === -1) break;
    const text = bytes.toString('latin1', at, line);
    if (!/^[0-9a-f]+$/i.test(text)) throw new Error(`no chunk size: ${JSON.stringify(text)}`);
    const size = Number.parseInt(text, 16);
    const end = line + 2 + size;
    if (bytes.length < end + 2) {
      pieces.push(bytes.subarray(line + 2, end));
      break;
    }
    if (bytes.toString('latin1', end, end + 2) !== '\r\n') throw new Error('a chunk is longer than its size');
    if (size === 0) return { content: Buffer.concat(pieces), end: end + 2, complete: true };
    pieces.push(bytes.subarray(line + 2, end));
    at = end + 2;
  }
  return ended ? { content: Buffer.concat(pieces), end: bytes.length, complete: false } : undefined;
}
