import { workerData } from 'node:worker_threads';
import { serveArchive } from '../serve-archive.ts';
import { openPostgresArchive } from './postgres-archive.ts';
import { inThread } from './thread-settings.ts';

serveArchive(() => openPostgresArchive(inThread(workerData)));
