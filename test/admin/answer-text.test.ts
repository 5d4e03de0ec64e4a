import { once } from 'node:events';
import { createServer, get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { answerText } from '../../src/admin/answer-text.ts';
import { TextAnswer } from '../../src/manage/act.ts';
import { eventually } from '../support/eventually.ts';

const PIECE = 'x'.repeat(65_536);
const PIECES = 2_000;

/** Serves 130 MB, and counts what was made of it. */
async function serveMuch(made: {
  pieces: number;
  isOver: boolean;
}): Promise<AsyncDisposable & { readonly port: number }> {
  async function* pieces() {
    try {
      for (; made.pieces < PIECES; made.pieces += 1) yield PIECE;
    } finally {
      made.isOver = true;
    }
  }
  const server = createServer((_req, res) => void answerText(res, new TextAnswer('text/plain', pieces()), {}));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

async function answerOf(port: number, method = 'GET'): Promise<IncomingMessage> {
  const asked = get({ port, host: '127.0.0.1', method });
  asked.on('error', () => {});
  const [answer] = await once(asked, 'response');
  return answer;
}

describe('an answer of any size', () => {
  test('is made no faster than it is read, and no more when the reader has left', async () => {
    const made = { pieces: 0, isOver: false };
    await using server = await serveMuch(made);
    const answer = await answerOf(server.port);
    await once(answer, 'readable');
    let before = -1;
    await eventually('nothing more is made', async () => {
      if (made.pieces === before) return true;
      before = made.pieces;
      await new Promise((resolve) => setTimeout(resolve, 50));
      return false;
    });
    // What sockets and streams hold, by far not all.
    expect(made.pieces).toBeLessThan(PIECES / 2);
    answer.destroy();
    await eventually('the making ends', () => made.isOver);
    expect(made.pieces).toBeLessThan(PIECES / 2);
  });

  test('has no body for HEAD', async () => {
    const made = { pieces: 0, isOver: false };
    await using server = await serveMuch(made);
    const answer = await answerOf(server.port, 'HEAD');
    expect(answer.statusCode).toBe(200);
    answer.resume();
    await eventually('the making ends', () => made.isOver);
    expect(made.pieces).toBe(0);
  });
});
