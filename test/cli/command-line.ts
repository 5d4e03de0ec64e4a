import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { createAdminApi, serveAlone } from '../../src/admin/admin-api.ts';
import { operatorOnSocket } from '../../src/admin/asker.ts';
import { socketPathsIn } from '../../src/admin/gateway-sockets.ts';
import { listenOnSocket } from '../../src/admin/listen-on-socket.ts';
import type { Input, Rooms } from '../../src/cli/rooms.ts';
import { runCli } from '../../src/cli/run-cli.ts';
import { type Management, openManagement } from '../manage/management.ts';

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface Running {
  readonly out: string;
  readonly err: string;
  readonly ended: Promise<Ran>;
}

/** The command line over acts of its own, with or without a running gateway. */
export interface CommandLine {
  readonly management: Management;
  readonly directory: string;
  /** How often the store was opened here, because no gateway ran. */
  readonly opened: { count: number };
  /** What a file may refer to. */
  readonly variables: Record<string, string>;
  readonly interrupt: AbortController;
  /** Serves the socket, as a running gateway does. */
  startGateway(): Promise<{ close(): Promise<void> }>;
  /** @param input what is piped into standard input, or a terminal to type at */
  run(words: readonly string[], input?: string | Input): Promise<Ran>;
  /** Begins to run a command that goes on and on, and shows what it says meanwhile. */
  begin(words: readonly string[]): Running;
  json(...words: string[]): Promise<unknown>;
  close(): Promise<void>;
}

export async function openCommandLine(overrides: Partial<Rooms<string>> = {}): Promise<CommandLine> {
  const management = await openManagement();
  const opened = { count: 0 };
  const variables: Record<string, string> = {};
  const interrupt = new AbortController();
  const rooms: Rooms<string> = {
    loadConfig: () => management.directory,
    fileProblems: async () => [],
    describeConfig: (directory) => ({ gateway: { dataDir: directory } }),
    socketPaths: socketPathsIn,
    publicAddress: () => 'https://gateway.example.com',
    readVariable: (name) => variables[name],
    openManagement: async () => {
      opened.count += 1;
      return { acts: management.acts, close: async () => {} };
    },
    openKeptRecord: async () => {
      throw new Error('no record is kept here');
    },
    serve: async () => 0,
    simulate: async () => 0,
    ...overrides,
  };
  const begin = (words: readonly string[], input: string | Input = ''): Running => {
    const [out, err] = [new Collector(), new Collector()];
    const stdin = typeof input === 'string' ? new PassThrough().end(input) : input;
    const terminal = { stdin, stdout: out, stderr: err, untilInterrupted: () => interrupt.signal, lookEveryMs: 20 };
    const ended = runCli(words, rooms, terminal).then((code) => ({ code, out: out.text, err: err.text }));
    return {
      get out() {
        return out.text;
      },
      get err() {
        return err.text;
      },
      ended,
    };
  };
  const run = (words: readonly string[], input: string | Input = ''): Promise<Ran> => begin(words, input).ended;
  return {
    management,
    directory: management.directory,
    opened,
    variables,
    interrupt,
    startGateway: () =>
      listenOnSocket(
        join(management.directory, 'gateway.sock'),
        serveAlone(
          createAdminApi(management.acts, {
            identify: operatorOnSocket,
            cookieName: 'mason-gateway',
            onBug: (error) => {
              throw error;
            },
          }),
        ),
      ),
    run,
    begin,
    async json(...words) {
      const ran = await run([...words, '--json']);
      if (ran.code !== 0) throw new Error(`${words.join(' ')}: ${ran.err}`);
      return JSON.parse(ran.out);
    },
    async close() {
      // What still follows the record, as after a test that failed, would keep the process alive.
      interrupt.abort();
      await management.close();
    },
  };
}

class Collector extends Writable {
  text = '';

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}
