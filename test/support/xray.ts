import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import WebSocket, { type ClientOptions } from 'ws';

/** What a caller of X-Ray heard, whole. */
export interface Frame {
  readonly isBinary: boolean;
  readonly bytes: Buffer;
}

/** One WebSocket of a caller's, opened or refused. */
export interface XrayCaller extends Disposable {
  readonly socket: WebSocket;
  /** Of the answer to the handshake. */
  readonly answer: IncomingMessage;
  /** Of a refusal; undefined when it was opened. */
  readonly refusal: { readonly type: string; readonly message: string } | undefined;
  /** The next message, in the order in which they came. */
  next(): Promise<Frame>;
  /** How it was closed. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
}

export interface XrayWish extends ClientOptions {
  readonly token?: string;
  readonly protocols?: readonly string[];
}

/** Asks for a WebSocket as Mason's own command line does: the credential in a header, and nothing else. */
export async function openXray(
  url: string,
  { token, protocols = [], headers, ...more }: XrayWish,
): Promise<XrayCaller> {
  const socket = new WebSocket(url.replace(/^http/, 'ws'), [...protocols], {
    perMessageDeflate: false,
    ...more,
    headers: { ...(token === undefined ? {} : { authorization: `Basic ${token}` }), ...headers },
  });
  const heard: Frame[] = [];
  const waiting: ((frame: Frame) => void)[] = [];
  socket.on('message', (data, isBinary) => {
    const frame = { isBinary, bytes: data as Buffer };
    const wanted = waiting.shift();
    if (wanted === undefined) heard.push(frame);
    else wanted(frame);
  });
  socket.on('error', () => undefined);
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.once('close', (code, reason) => resolve({ code, reason: String(reason) }));
  });
  const [answer, refusal] = await Promise.race([
    Promise.all([once(socket, 'upgrade'), once(socket, 'open')]).then(
      ([[upgraded]]) => [upgraded as IncomingMessage, undefined] as const,
    ),
    once(socket, 'unexpected-response').then(async ([, refused]) => {
      const said = await text(refused as IncomingMessage);
      socket.terminate();
      return [refused as IncomingMessage, JSON.parse(said) as { type: string; message: string }] as const;
    }),
  ]);
  return {
    socket,
    answer,
    refusal,
    closed,
    next() {
      const frame = heard.shift();
      return frame === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(frame);
    },
    [Symbol.dispose]: () => socket.terminate(),
  };
}
