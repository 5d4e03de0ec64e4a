// An upstream of bytes, for transfers: what it does costs as little as it can, so that the proxy is what is measured.

import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { sendPattern } from '../../../src/simulator/pattern.ts';

const server = createServer((request, response) => {
  const query = new URL(request.url ?? '', 'http://upstream').searchParams;
  if (request.method === 'GET') {
    const bytes = Number(query.get('bytes'));
    response.writeHead(200, { 'Content-Type': 'application/octet-stream', 'Content-Length': bytes });
    void sendPattern(response, 0, bytes);
    return;
  }
  const digest = query.has('digest') ? createHash('sha256') : undefined;
  let bytes = 0;
  request.on('data', (piece: Buffer) => {
    bytes += piece.length;
    digest?.update(piece);
  });
  request.on('end', () => {
    const body = JSON.stringify({ bytes, sha256: digest?.digest('hex') });
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': body.length });
    response.end(body);
  });
});
server.requestTimeout = 0;
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  console.log(`PORT ${typeof address === 'object' ? address?.port : ''}`);
});
process.stdin.resume().on('end', () => process.exit());
