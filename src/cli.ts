import { socketPathsIn } from './admin/gateway-sockets.ts';
import type { Rooms, Terminal } from './cli/rooms.ts';
import { runCli } from './cli/run-cli.ts';
import { type Config, describeConfig, loadConfig } from './config/config.ts';
import { problemsOfDatabase } from './config/database-settings.ts';
import { readVariable } from './config/env.ts';
import { localAddress } from './http/local-address.ts';

// Most commands go to the running gateway: what only some need is loaded when they do.
const rooms: Rooms<Config> = {
  loadConfig: () => loadConfig(),
  fileProblems: async (config) => [
    ...problemsOfDatabase(config.database),
    ...(await (await import('./public-certificate.ts')).problemsOfCertificate(config)),
  ],
  describeConfig,
  publicAddress: ({ listen }) => listen.publicUrl ?? localAddress(listen.host, listen.port),
  readVariable: (name) => readVariable(name),
  socketPaths: (config) => socketPathsIn(config.gateway.dataDir),
  async openManagement(config) {
    const [{ openManagement }, { createLog }, { pino }] = await Promise.all([
      import('./gateway.ts'),
      import('./call/call-log.ts'),
      import('pino'),
    ]);
    return await openManagement(config, {
      masonUrl: config.mason.origin ?? `http://127.0.0.1:${config.simulator.port}`,
      // Standard output is the answer's.
      log: createLog('warn', pino.destination({ dest: 2, sync: true })),
    });
  },
  openKeptRecord: async (config) => (await import('./kept-record.ts')).openKeptRecord(config),
  serve: async () => (await import('./main.ts')).serve(),
  simulate: async (argv) => (await import('./simulator/command.ts')).runSimulatorCommand(argv),
};

const terminal: Terminal = {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  untilInterrupted() {
    const interrupted = new AbortController();
    process.once('SIGINT', () => interrupted.abort());
    return interrupted.signal;
  },
};

// `gateway … | head` closes the pipe: no failure, and nothing more to say.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

process.exitCode = await runCli(process.argv.slice(2), rooms, terminal);
