import { parentPort, workerData } from 'node:worker_threads';
import { startSimulator } from './start-simulator.ts';

// A simulator in a thread of its own: options come as workerData, `{port}` goes to the parent; the thread ends with the parent, or
// when it terminates it.
const { url, port } = await startSimulator(workerData ?? {});
parentPort?.postMessage({ url, port });
