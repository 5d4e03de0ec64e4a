import type { Config } from '../config/config.ts';

interface Places {
  readonly publicPort: number;
  readonly privatePort: number;
  readonly masonUrl: string;
}

/** What a start tells: what runs where, and what to do next. */
export function greeting(config: Config, places: Places, token: string | undefined): string {
  const door = `http://${inUrl(config.listen.host)}:${places.publicPort}`;
  const health = `http://${inUrl(config.listen.privateHost)}:${places.privatePort}`;
  const isSimulated = config.mason.origin === undefined;
  const lines = [
    'mason-gateway is running',
    '',
    `  calls     ${door}/v1  ->  ${isSimulated ? 'a simulated Mason at ' : ''}${places.masonUrl}/v1`,
    `  health    ${health}/readyz  ${health}/metrics`,
    `  data      ${config.gateway.dataDir}`,
    '',
    ...(token !== undefined ? firstCall(door, token) : isSimulated ? nextToken() : begin()),
    '',
  ];
  return lines.join('\n');
}

/** An address as it stands in a URL that works on this machine. */
function inUrl(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}

function firstCall(door: string, token: string): string[] {
  return [
    'A demo team with two keys and an app was made. Make a first call (the token in it is shown this once):',
    '',
    `  curl -H 'Authorization: Bearer ${token}' '${door}/v1/default/device?limit=3'`,
    '',
    'and see it on record:',
    '',
    '  npm run -s gateway -- audit tail',
  ];
}

function nextToken(): string[] {
  return [
    'Make a token, to call with:',
    '',
    '  npm run -s gateway -- token create --team demo --app first-app --scope fleet:read',
  ];
}

function begin(): string[] {
  return [
    'To begin (the key is asked for at a prompt, and never shown again):',
    '',
    '  npm run -s gateway -- team add my-team',
    '  npm run -s gateway -- key add --team my-team --name main --scope fleet:read --limit 10/1s',
    '  npm run -s gateway -- app add --team my-team --name my-app',
    '  npm run -s gateway -- token create --team my-team --app my-app --scope fleet:read',
  ];
}
