import type { Config } from '../config/config.ts';
import { doorAddress, localAddress } from '../http/local-address.ts';

interface Places {
  readonly publicPort: number;
  readonly privatePort: number;
  readonly masonUrl: string;
}

/** What is shown this once. */
interface FirstSecrets {
  readonly token: string;
  readonly signInPath: string;
}

/** What a start tells: what runs where, and what to do next. */
export function greeting(config: Config, places: Places, first: FirstSecrets | undefined): string {
  const door = doorAddress(config.listen, places.publicPort);
  const health = localAddress(config.listen.privateHost, places.privatePort);
  const isSimulated = config.mason.origin === undefined;
  const lines = [
    'mason-gateway is running',
    '',
    `  calls     ${door}/v1  ->  ${isSimulated ? 'a simulated Mason at ' : ''}${places.masonUrl}/v1`,
    `  health    ${health}/readyz  ${health}/metrics`,
    `  data      ${config.gateway.dataDir}`,
    '',
    ...(first !== undefined ? firstSteps(door, places.masonUrl, first) : isSimulated ? nextSteps() : begin()),
    '',
  ];
  return lines.join('\n');
}

function firstSteps(door: string, masonUrl: string, { token, signInPath }: FirstSecrets): string[] {
  return [
    'A demo team with two keys and an app was made. Make a first call (the token in it is shown this once):',
    '',
    `  curl -H 'Authorization: Bearer ${token}' '${door}/v1/default/device?limit=3'`,
    '',
    'and see it on record:',
    '',
    '  npm run -s gateway -- audit tail',
    '',
    'Or with a browser, where no token is: sign in (the link works once, within ten minutes), then open the example page:',
    '',
    `  ${door}${signInPath}`,
    `  ${masonUrl}/example/`,
  ];
}

function nextSteps(): string[] {
  return [
    'Make a token, to call with, or a link to sign in with a browser:',
    '',
    '  npm run -s gateway -- token create --team demo --app first-app --scope fleet:read',
    '  npm run -s gateway -- sign-in-link --team demo --role lead',
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
