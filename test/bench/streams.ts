import { runParts } from './run-parts.ts';
import { idleConnections } from './stream-bars/idle-connections.ts';
import { slowClients } from './stream-bars/slow-clients.ts';
import { staleSockets } from './stream-bars/stale-sockets.ts';
import { transfers } from './stream-bars/transfers.ts';
import { xrayFullSpeed, xraySessions } from './stream-bars/xray.ts';

await runParts({
  script: 'bench:streams',
  about: 'What is not held in memory, against its bars.',
  extent: { word: 'quick', means: 'shorter, where a part can be.' },
  parts: [xraySessions, xrayFullSpeed, transfers, staleSockets, slowClients, idleConnections],
});
