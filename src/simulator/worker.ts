import { parentPort, workerData } from 'node:worker_threads';
import { startSimulator } from './start-simulator.ts';

// A simulator in a thread of its own: options come as workerData, `{port}` goes to the parent; the thread ends with the parent, or
// when it terminates it.
const simulator = await startSimulator(workerData ?? {});
// The gateway learns its own port after the simulator's: `{gatewayUrl}` says where the example frontend finds it.
parentPort?.on('message', ({ gatewayUrl }: { gatewayUrl: string }) => simulator.showGateway(gatewayUrl));
parentPort?.postMessage({ url: simulator.url, port: simulator.port });
