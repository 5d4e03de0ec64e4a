import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { createAdminServer } from '../../src/admin/admin-server.ts';
import { listenOnSocket, socketPathIn } from '../../src/admin/listen-on-socket.ts';
import type { Input, Rooms } from '../../src/cli/rooms.ts';
import { runCli } from '../../src/cli/run-cli.ts';
import { type Management, openManagement } from '../manage/management.ts';

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** The command line over acts of its own, with or without a running gateway. */
export interface CommandLine {
  readonly management: Management;
  readonly directory: string;
  /** How often the store was opened here, because no gateway ran. */
  readonly opened: { count: number };
  readonly interrupt: AbortController;
  /** Serves the socket, as a running gateway does. */
  startGateway(): Promise<{ close(): Promise<void> }>;
  /** @param input what is piped into standard input, or a terminal to type at */
  run(words: readonly string[], input?: string | Input): Promise<Ran>;
  json(...words: string[]): Promise<unknown>;
  close(): Promise<void>;
}

export async function openCommandLine(overrides: Partial<Rooms<string>> = {}): Promise<CommandLine> {
  const management = await openManagement();
  const opened = { count: 0 };
  const interrupt = new AbortController();
  const rooms: Rooms<string> = {
    loadConfig: () => management.directory,
    describeConfig: (directory) => ({ gateway: { dataDir: directory } }),
    socketPath: socketPathIn,
    openManagement: async () => {
      opened.count += 1;
      return { acts: management.acts, close: async () => {} };
    },
    serve: async () => 0,
    simulate: async () => 0,
    ...overrides,
  };
  const run = async (words: readonly string[], input: string | Input = ''): Promise<Ran> => {
    const [out, err] = [new Collector(), new Collector()];
    const stdin = typeof input === 'string' ? new PassThrough().end(input) : input;
    const terminal = { stdin, stdout: out, stderr: err, untilInterrupted: () => interrupt.signal };
    const code = await runCli(words, rooms, terminal);
    return { code, out: out.text, err: err.text };
  };
  return {
    management,
    directory: management.directory,
    opened,
    interrupt,
    startGateway: () =>
      listenOnSocket(
        join(management.directory, 'gateway.sock'),
        createAdminServer(management.acts, {
          onBug: (error) => {
            throw error;
          },
        }),
      ),
    run,
    async json(...words) {
      const ran = await run([...words, '--json']);
      if (ran.code !== 0) throw new Error(`${words.join(' ')}: ${ran.err}`);
      return JSON.parse(ran.out);
    },
    close: () => management.close(),
  };
}

class Collector extends Writable {
  text = '';

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}
