import { gzipSync } from 'node:zlib';
import { type Attack, closing, staying } from './attack.ts';

const deep = `{"devices":["d"],"x":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
const json = 'application/json';

type Body = readonly [name: string, status: number, type: string, body: string | Buffer, coding?: string];

/** Refused by what stands in its head, before the body is read: the rest of it could be misread. */
const UNREAD: readonly Body[] = [
  ['a gzip bomb', 415, json, gzipSync(Buffer.alloc(10_000_000)), 'gzip'],
  ['an unknown coding', 415, json, '{"devices":["a"]}', 'br, gzip'],
  ['2 MB', 413, json, `{"devices":["a"],"x":"${'x'.repeat(2_000_000)}"}`],
];

const READ: readonly Body[] = [
  ['100,000 levels deep', 400, json, deep],
  ['100,000 levels deep and never closed', 400, json, '{"devices":'.concat('['.repeat(100_000))],
  ['the prototype', 400, json, '{"__proto__":{"devices":["d"]}}'],
  ['the prototype by the constructor', 400, json, '{"constructor":{"prototype":{"devices":["d"]}}}'],
  ['one name twice', 400, json, '{"devices":["a"],"devices":["b"]}'],
  ['one name twice, once escaped', 400, json, '{"devices":["a"],"d\\u0065vices":["b"]}'],
  ['one name twice, deep down', 400, json, '{"devices":["a"],"x":[{"y":{"z":1,"z":2}}]}'],
  ['two values', 400, json, '{"devices":["a"]}{"devices":["b"]}'],
  ['bytes behind', 400, json, '{"devices":["a"]}\0'],
  ['a comment', 400, json, '{"devices":["a"]/*,"devices":["b"]*/}'],
  ['a trailing comma', 400, json, '{"devices":["a"],}'],
  ['single quotes', 400, json, "{'devices':['a']}"],
  ['NaN', 400, json, '{"devices":["a"],"x":NaN}'],
  ['a list', 400, json, '["a"]'],
  ['a word', 400, json, '"a"'],
  ['null', 400, json, 'null'],
  ['nothing', 400, json, ''],
  ['half an object', 400, json, '{"devices":["a"'],
  ['no names', 400, json, '{"devices":[]}'],
  ['a number for a name', 400, json, '{"devices":[1]}'],
  ['an object for a list', 400, json, '{"devices":{"length":1,"0":"a"}}'],
  ['a name of 300 characters', 400, json, `{"devices":["${'a'.repeat(300)}"]}`],
  ['10,001 names', 400, json, JSON.stringify({ devices: Array.from({ length: 10_001 }, (_, at) => `d${at}`) })],
  ['a byte order mark', 400, json, '\xef\xbb\xbf{"devices":["a"]}'],
  ['bytes that are not UTF-8', 400, json, '{"devices":["\xff"]}'],
  ['overlong UTF-8', 400, json, '{"devices":["\xc0\xaf"]}'],
  ['UTF-16 unsaid', 400, json, Buffer.from('{"devices":["a"]}', 'utf16le')],
  ['UTF-16', 415, 'application/json; charset=utf-16', Buffer.from('{"devices":["a"]}', 'utf16le')],
  ['UTF-7', 415, 'application/json; charset=utf-7', '{"devices":["a"]}'],
  ['two charsets', 415, 'application/json; charset=utf-8; charset=utf-7', '{"devices":["a"]}'],
  ['a form', 415, 'application/x-www-form-urlencoded', 'devices=a'],
  ['plain text', 415, 'text/plain', '{"devices":["a"]}'],
  ['two types', 415, 'application/json, text/plain', '{"devices":["a"]}'],
];

function row([name, status, type, body, coding]: Body): readonly [string, string, string, readonly number[]] {
  const bytes = typeof body === 'string' ? body : body.toString('latin1');
  const encoding = coding === undefined ? '' : `Content-Encoding: ${coding}\r\n`;
  const head = `POST /v1/default/notify/reboot HTTP/1.1\r\n{auth}Content-Type: ${type}\r\n${encoding}`;
  return [
    `a reboot whose body is ${name}`,
    'ASVS 5.0 V2',
    `${head}Content-Length: ${bytes.length}\r\n\r\n${bytes}`,
    [status],
  ];
}

/** Bodies that say more than one thing, or nothing. */
export const BODIES: readonly Attack[] = [...closing(UNREAD.map(row)), ...staying(READ.map(row))];
