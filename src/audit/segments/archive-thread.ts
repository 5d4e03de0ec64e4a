import { workerData } from 'node:worker_threads';
import { serveArchive } from '../serve-archive.ts';
import { SegmentArchive } from './segment-archive.ts';

serveArchive(async () => new SegmentArchive(workerData));
