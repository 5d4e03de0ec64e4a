import { workerData } from 'node:worker_threads';
import { serveWriter } from '../serve-writer.ts';
import { RunWriter } from './run-writer.ts';

serveWriter(new RunWriter(workerData));
