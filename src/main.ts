import { openLog } from './call/open-log.ts';
import { greeting } from './cli/greeting.ts';
import { type Config, ConfigError, loadConfig } from './config/config.ts';
import { seedWhenEmpty, startSimulatorThread, withExample } from './embedded.ts';
import { type Gateway, openGateway } from './gateway.ts';
import { doorAddress } from './http/local-address.ts';

/**
 * Runs the gateway until SIGTERM or SIGINT: then what is in flight finishes. A second signal ends it at once.
 *
 * @returns the exit code
 */
export async function serve(): Promise<number> {
  let config: Config;
  try {
    config = loadConfig();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const problem of error.problems) console.error(`mason-gateway: ${problem}`);
    return 1;
  }
  process.stdout.on('error', () => undefined);
  const { log, flushed } = openLog(config.gateway.logLevel, 1);
  const ended = ending();
  try {
    const simulator = config.mason.origin === undefined ? await startSimulatorThread(config.simulator.port) : undefined;
    const masonUrl = config.mason.origin ?? (simulator?.url as string);
    const settings = simulator === undefined ? config : withExample(config, simulator.url);
    const gateway = await openGateway(settings, { masonUrl, log });
    const first = simulator === undefined ? undefined : await seedWhenEmpty(gateway.acts);
    simulator?.showGateway(doorAddress(config.listen, gateway.publicPort));
    console.log(greeting(config, placesOf(gateway, masonUrl), first));
    const signal = await ended;
    log.info({ signal }, 'shutting down: what is in flight finishes');
    await gateway.close();
    await simulator?.close();
    log.info('closed');
    return 0;
  } catch (error) {
    console.error(`mason-gateway: ${Error.isError(error) ? error.message : String(error)}`);
    return 1;
  } finally {
    await flushed();
  }
}

function placesOf(gateway: Gateway, masonUrl: string): { publicPort: number; privatePort: number; masonUrl: string } {
  return { publicPort: gateway.publicPort, privatePort: gateway.privatePort, masonUrl };
}

/** Settles with the first signal; a second one ends the process where it stands. */
function ending(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => {
        resolve(signal);
        process.once(signal, () => process.exit(1));
      });
    }
  });
}

if (import.meta.main) process.exit(await serve());
