import { type Attack, closing, staying } from './attack.ts';

const WEBSOCKET =
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
const H2C = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n';
const STRANGER = 'Host: {host}\r\n';
const SOURCE = 'RFC 9110 7.8';

/** Wishes for another protocol where there is none: each is answered as if nothing had been wished. */
export const UPGRADES: readonly Attack[] = [
  ...staying([
    ['a WebSocket to nowhere', SOURCE, `GET /v1/nothing HTTP/1.1\r\n{auth}${WEBSOCKET}\r\n`, [404]],
    ['a WebSocket outside of the API', SOURCE, `GET /socket HTTP/1.1\r\n{auth}${WEBSOCKET}\r\n`, [404]],
    ['a WebSocket to the metrics', SOURCE, `GET /metrics HTTP/1.1\r\n{auth}${WEBSOCKET}\r\n`, [404]],
    ['a WebSocket of a stranger', SOURCE, `GET /v1/default/device HTTP/1.1\r\n${STRANGER}${WEBSOCKET}\r\n`, [401]],
    ['a WebSocket to the management', SOURCE, `GET /admin/v1/teams HTTP/1.1\r\n${STRANGER}${WEBSOCKET}\r\n`, [401]],
    ['a WebSocket by another method', SOURCE, `PATCH /v1/default/device HTTP/1.1\r\n{auth}${WEBSOCKET}\r\n`, [405]],
    ['HTTP/2 in clear text to nowhere', SOURCE, `GET /v1/nothing HTTP/1.1\r\n{auth}${H2C}\r\n`, [404]],
    [
      'TLS inside to nowhere',
      'RFC 2817 3',
      `GET /v1/nothing HTTP/1.1\r\n{auth}Connection: Upgrade\r\nUpgrade: TLS/1.2\r\n\r\n`,
      [404],
    ],
    [
      'an unknown protocol',
      SOURCE,
      `GET /v1/nothing HTTP/1.1\r\n{auth}Connection: upgrade\r\nUpgrade: foo/9, websocket\r\n\r\n`,
      [404],
    ],
    [
      'an Upgrade that Connection does not name',
      SOURCE,
      `GET /v1/nothing HTTP/1.1\r\n{auth}Upgrade: websocket\r\n\r\n`,
      [404],
    ],
  ]),
  ...closing([
    ['a WebSocket in HTTP/1.0', SOURCE, `GET /v1/nothing HTTP/1.0\r\n{auth}${WEBSOCKET}\r\n`, [404]],
    ['a WebSocket by CONNECT', 'RFC 8441 4', `CONNECT {host} HTTP/1.1\r\n{auth}${WEBSOCKET}\r\n`, [405]],
  ]),
];
