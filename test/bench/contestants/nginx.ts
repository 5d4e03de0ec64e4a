import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { freePort } from '../machine/free-port.ts';
import { type Child, scratchDirectory, startChild } from '../machine/scratch.ts';
import { waitUntil } from '../machine/wait-until.ts';
import { type Contestant, MASON_KEY, OTHER_CORE, PROXY_CORE } from './contestant.ts';

const TRIES = 3;
/** More than any run sends: a connection that nginx closes after 1,000 requests would be part of the measurement. */
const REQUESTS = 1_000_000_000;

/** The upstream: one answer for every path, nothing checked; it notes the Authorization of calls with `check=` only. */
export interface Upstream extends AsyncDisposable {
  readonly url: string;
  readonly body: string;
  /** The Authorization with which `?check=<mark>` came. */
  authorizationOf(mark: string): Promise<string>;
}

export async function startUpstream(): Promise<Upstream> {
  const body = deviceList();
  const { child, url, directory } = await start(OTHER_CORE, (port, place) => ({
    http: `
      map $arg_check $checked { default 1; "" 0; }
      log_format check '$arg_check $http_authorization';
      access_log ${place}/check.log check if=$checked;`,
    server: `
      listen 127.0.0.1:${port};
      default_type application/json;
      location / { return 200 '${body}'; }`,
  }));
  return {
    url,
    body,
    authorizationOf: (mark) =>
      waitUntil(`what reached the upstream for ${mark}`, () => {
        const line = readFileSync(`${directory}/check.log`, 'utf8')
          .split('\n')
          .find((text) => text.startsWith(`${mark} `));
        return line?.slice(mark.length + 1);
      }),
    [Symbol.asyncDispose]: () => child.end(),
  };
}

/** nginx as the proxy: one worker, connections to the upstream kept. */
export async function startNginxProxy(upstream: string): Promise<Contestant> {
  const { child, url } = await start(PROXY_CORE, (port) => ({
    http: `
      access_log off;
      upstream mason { server ${new URL(upstream).host}; keepalive 256; keepalive_requests ${REQUESTS}; }`,
    server: `
      listen 127.0.0.1:${port};
      location / {
        proxy_pass http://mason;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_set_header Authorization "basic ${MASON_KEY}";
      }`,
  }));
  return { name: 'nginx', url, pid: child.pid, [Symbol.asyncDispose]: () => child.end() };
}

type Parts = (port: number, directory: string) => { http: string; server: string };

async function start(core: number, parts: Parts): Promise<{ child: Child; url: string; directory: string }> {
  const directory = scratchDirectory();
  mkdirSync(`${directory}/logs`);
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    writeFileSync(`${directory}/nginx.conf`, configuration(directory, parts(port, directory)));
    const args = ['-p', directory, '-c', `${directory}/nginx.conf`, '-e', `${directory}/error.log`];
    const child = startChild('nginx', args, { core, env: { PATH: `${process.env['PATH']}:/usr/sbin` } });
    const url = `http://127.0.0.1:${port}`;
    try {
      await waitUntil('nginx answers', async () => {
        if (child.process.exitCode !== null) throw new Error(readFileSync(`${directory}/error.log`, 'utf8'));
        return fetch(url, { headers: { connection: 'close' } }).then(
          (answer) => answer.arrayBuffer(),
          () => undefined,
        );
      });
      return { child, url, directory };
    } catch (error) {
      await child.end();
      // Somebody else may have taken the port in between.
      if (attempt === TRIES) throw error;
    }
  }
}

function configuration(directory: string, { http, server }: ReturnType<Parts>): string {
  const places = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${directory}/${kind};`,
  );
  return `
    daemon off;
    worker_processes 1;
    pid ${directory}/nginx.pid;
    events { worker_connections 4096; }
    http {
      ${places.join('\n      ')}
      keepalive_requests ${REQUESTS};
      keepalive_timeout 300s;
      ${http}
      server { ${server} }
    }
  `;
}

/** A page of devices, about 2 kB; no character that means something to nginx. */
function deviceList(): string {
  const data = Array.from({ length: 10 }, (_, n) => ({
    id: `9f3c7d2e-41ab-4c55-8e0d-00000000000${n}`,
    name: `till-${n}`,
    imei: `35699500000000${n}`,
    serial: `BENCH-000${n}`,
    group: { id: `grp-${n % 3}`, name: `store-${n % 3}` },
    os: '4.2.1',
    lastSeen: '2026-01-01T00:00:00Z',
  }));
  return JSON.stringify({ data, nextPage: 'ZGV2aWNlOjEw' });
}
