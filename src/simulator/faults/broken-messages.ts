import { STATUS_CODES } from 'node:http';
import type { Answer } from '../mason/answer.ts';
import type { Fault } from './fault.ts';

/** Bytes for the socket as they stand, because Node would rightly refuse to write them. */
export interface BrokenMessage {
  readonly bytes: Buffer;
  readonly after: 'end' | 'stay-open';
}

/** The bytes of a message that breaks HTTP, for the kinds whose breakage is in what is written. */
export function brokenMessage(fault: Fault, answer: Answer): BrokenMessage | undefined {
  switch (fault.kind) {
    case 'raw':
      return ended(Buffer.from(fault.base64, 'base64'));
    case 'status-line':
      return ended(message(fault.line, ['Content-Length', String(length(answer))], answer));
    case 'switching-protocols': {
      const headers = ['Connection', 'upgrade', 'Upgrade', 'websocket'];
      return { bytes: head('HTTP/1.1 101 Switching Protocols', headers), after: 'stay-open' };
    }
    case 'truncated-body':
      return ended(truncated(fault.framing, answer));
    case 'double-framing':
      return ended(doubleFramed(fault.form, answer));
    case 'bare-lf': {
      const smuggled = 'X-Harmless: yes\nSet-Cookie: pwn=1; Path=/';
      return ended(message(`${firstLine(answer)}\r\n${smuggled}`, ['Content-Length', String(length(answer))], answer));
    }
    case 'control-characters': {
      const value = `a${String.fromCharCode(fault.byte ?? 1)}b`;
      return ended(message(firstLine(answer), ['Content-Length', String(length(answer)), 'X-Control', value], answer));
    }
    default:
      return undefined;
  }
}

function ended(bytes: Buffer): BrokenMessage {
  return { bytes, after: 'end' };
}

/** A message cut in the middle of its body: RFC 9112 section 8 calls it incomplete, whichever way it is framed. */
export function truncated(framing: 'length' | 'chunked', answer: Answer): Buffer {
  const body = Buffer.from(answer.body);
  const half = body.subarray(0, Math.floor(body.length / 2));
  if (framing === 'length') {
    const headers = [...answer.headers, 'Content-Length', String(body.length)];
    return Buffer.concat([head(firstLine(answer), headers), half]);
  }
  const headers = [...answer.headers, 'Transfer-Encoding', 'chunked'];
  // A whole chunk of half the body, without the last chunk that would say the body is complete.
  return Buffer.concat([head(firstLine(answer), headers), chunk(half)]);
}

/** RFC 9112 section 6.3 makes both forms an error that ends the connection. */
function doubleFramed(form: 'length-and-chunked' | 'two-lengths', answer: Answer): Buffer {
  const body = Buffer.from(answer.body);
  if (form === 'two-lengths') {
    const headers = ['Content-Length', String(body.length), 'Content-Length', String(body.length + 7)];
    return message(firstLine(answer), headers, answer);
  }
  const headers = [...answer.headers, 'Content-Length', String(body.length), 'Transfer-Encoding', 'chunked'];
  return Buffer.concat([head(firstLine(answer), headers), chunk(body), Buffer.from('0\r\n\r\n')]);
}

function message(first: string, headers: readonly string[], answer: Answer): Buffer {
  return Buffer.concat([head(first, [...answer.headers, ...headers]), Buffer.from(answer.body)]);
}

function firstLine(answer: Answer): string {
  return `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? ''}`;
}

function head(first: string, headers: readonly string[]): Buffer {
  let text = `${first}\r\n`;
  for (let at = 0; at + 1 < headers.length; at += 2) text += `${headers[at]}: ${headers[at + 1]}\r\n`;
  return Buffer.from(`${text}\r\n`, 'latin1');
}

/** An empty one would be the last chunk, so there is none for no bytes. */
function chunk(bytes: Buffer): Buffer {
  if (bytes.length === 0) return bytes;
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);
}

function length(answer: Answer): number {
  return Buffer.byteLength(answer.body);
}
