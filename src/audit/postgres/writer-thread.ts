import { workerData } from 'node:worker_threads';
import { serveWriter } from '../serve-writer.ts';
import { PostgresRunWriter } from './postgres-run-writer.ts';

serveWriter(new PostgresRunWriter(workerData));
