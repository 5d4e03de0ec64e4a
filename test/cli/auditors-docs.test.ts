import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { socketPathsIn } from '../../src/admin/gateway-sockets.ts';
import type { Rooms } from '../../src/cli/rooms.ts';
import { runCli } from '../../src/cli/run-cli.ts';
import { type Config, describeConfig, loadConfig } from '../../src/config/config.ts';
import { openKeptRecord } from '../../src/kept-record.ts';
import { eventually } from '../support/eventually.ts';
import { type GatewayProcess, spawnGateway } from '../support/gateway-process.ts';

const docs = await readFile(resolve(import.meta.dirname, '../../docs/auditors.md'), 'utf8');
const run = promisify(execFile);

/** The commands of the page, in order, each with what the page says that it prints. */
const commands = [...docs.matchAll(/^```sh\n(.*?)^```$(?:\s*^```text\n(.*?)^```$)?/gms)].map(
  ([, command, output]) => [(command as string).trim(), output] as const,
);
const DEVICE = '69f34175-e1d0-4657-92d6-814ad52e3e92';
const REQUEST = /\b01a20b29-5ec1-[\w-]{22}\b/;

let folder: string;
let gateway: GatewayProcess;
let requestId: string;
const before = process.cwd();

/** A gateway as a first start leaves it, on which a device was renamed, and a wipe and a stranger were refused. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'auditors-'));
  await writeFile(
    join(folder, 'gateway.yaml'),
    `record: { checkpointMs: 100 }\nsinks: [{ id: archive, kind: file, path: ${join(folder, 'archive.ndjson')} }]\n`,
  );
  gateway = await spawnGateway(folder, { GATEWAY_CONFIG: join(folder, 'gateway.yaml') });
  const token = await eventually('the token is shown', () => /Bearer (mgw_\w+)/.exec(gateway.stdout())?.[1]);
  const call = (path: string, body: object | undefined, bearer = token): Promise<Response> =>
    fetch(`${gateway.url}/v1/default/${path}`, {
      headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    });
  const renamed = await call(`device/${DEVICE}`, { name: 'front-desk' });
  expect(renamed.status).toBe(200);
  requestId = String(renamed.headers.get('request-id'));
  expect((await call('notify/wipe', { devices: [DEVICE] })).status).toBe(403);
  expect((await call('device', undefined, 'mgw_of-nobody')).status).toBe(401);
  await eventually('a checkpoint of it is in the log', () => wholeLines().some(tellsCheckpoint));
  await writeFile(join(folder, 'gateway.log'), `${wholeLines().join('\n')}\n`);
  await eventually(
    'the sink has a checkpoint',
    async () =>
      (await readFile(join(folder, 'archive.ndjson'), 'latin1').catch(() => '')).includes('{"checkpoint":') ||
      undefined,
  );
  // The commands name files as somebody in this folder does.
  process.chdir(folder);
});

/** What a pipe has brought so far may end within a line. */
function wholeLines(): string[] {
  return gateway.stdout().split('\n').slice(0, -1);
}

function tellsCheckpoint(line: string): boolean {
  return line.startsWith('{') && JSON.parse(line).checkpoint?.signature !== undefined;
}

afterAll(async () => {
  process.chdir(before);
  await gateway[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const elsewhere = async (): Promise<never> => {
  throw new Error('no command of an auditor needs this');
};
const rooms: Rooms<Config> = {
  loadConfig: () => loadConfig({ GATEWAY_DATA_DIR: join(folder, 'data') }),
  fileProblems: async () => [],
  describeConfig,
  socketPaths: (config) => socketPathsIn(config.gateway.dataDir),
  publicAddress: () => gateway.url,
  readVariable: () => undefined,
  openManagement: elsewhere,
  openKeptRecord,
  serve: elsewhere,
  simulate: elsewhere,
};

/** What is printed, errors first: they come while it is checked. */
async function printed(command: string): Promise<string> {
  const [program, ...words] = command.replace(REQUEST, requestId).split(' ');
  if (program !== 'mason-gateway') return (await run('sh', ['-ec', command], { cwd: folder })).stdout;
  const [file] = words.at(-2) === '>' ? words.splice(-2).slice(1) : [];
  const [out, err] = [new Collector(), new Collector()];
  const stdin = new PassThrough().end();
  const code = await runCli(words, rooms, {
    stdin,
    stdout: out,
    stderr: err,
    untilInterrupted: () => new AbortController().signal,
  });
  expect([words.slice(0, 2).join(' '), code, err.text]).toEqual([
    words.slice(0, 2).join(' '),
    out.text.includes('findings') ? 1 : 0,
    expect.any(String),
  ]);
  if (file !== undefined) await writeFile(file, out.text);
  const [last = '', ...rest] = err.text.trimEnd().split('\n').toReversed();
  return [...rest.toReversed(), out.text.trimEnd(), last].filter(Boolean).join('\n');
}

class Collector extends Writable {
  text = '';

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

/** What an output says whatever the moment: times, ids, numbers and the widths that follow from them left open. */
function shape(text: string): string[] {
  const open = text
    .replace(/\d{4}-\d\d-\d\dT[\d:]+(?:[+-][\d:]+|Z)/g, '<time>')
    .replace(/\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b[0-9A-HJKMNP-TV-Z]{26}\b|\b[0-9a-f]{16,}\b/g, '<id>')
    .replace(/\d+/g, '<n>')
    .replace(/[^\S\n]+/g, ' ');
  return open.trim().split('\n');
}

describe('docs/auditors.md shows what happens', () => {
  test('there are commands on it, and what most of them print', () => {
    expect(commands.length).toBeGreaterThan(8);
    expect(commands.filter(([, output]) => output !== undefined).length).toBeGreaterThan(5);
  });

  test.each(commands)('%s', async (command, said) => {
    const got = shape(await printed(command));
    if (said === undefined) return;
    const expected = shape(said);
    // A page need not show all of a long answer.
    const cut = expected.indexOf('…');
    expect(cut === -1 ? got : got.slice(0, cut)).toEqual(cut === -1 ? expected : expected.slice(0, cut));
  });

  test('the digest made by hand is the one in the line', async () => {
    const [byHand] = commands.find(([command]) => command.startsWith('grep')) ?? [''];
    const line = (await readFile('record.ndjson', 'latin1')).split('\n').find((each) => each.includes('"seq":3,'));
    expect((await printed(byHand)).slice(0, 64)).toBe(/"digest":"(\w+)"/.exec(line ?? '')?.[1]);
  });

  test('every field that an event can have is explained', async () => {
    const source = await readFile(resolve(import.meta.dirname, '../../src/audit/event-line.ts'), 'utf8');
    const fields = [...source.matchAll(/(?:name|text|number)\('(\w+)'/g)].map(([, field]) => field as string);
    const attempt = ['startMs', 'durationMs', 'failure', 'person'];
    const unsaid = fields.filter((field) => !attempt.includes(field) && !new RegExp(`[\`.]${field}\``).test(docs));
    expect(fields.length).toBeGreaterThan(30);
    expect(unsaid).toEqual([]);
  });
});
