import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from '@jest/globals';

const root = resolve(import.meta.dirname, '../..');
const src = join(root, 'src');
const map = readFileSync(join(src, 'README.md'), 'utf8');

function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name));
}

const sources = filesBelow(src).map((file) => ({ file: file.slice(src.length + 1), text: readFileSync(file, 'utf8') }));

describe('The map is true', () => {
  test.each(readdirSync(src).filter((name) => name !== 'README.md'))('%s is on the map', (name) => {
    expect(map).toContain(statSync(join(src, name)).isDirectory() ? `\`${name}/\`` : `\`${name}\``);
  });

  const named = [...map.matchAll(/`((?:[\w-]+\/)*[\w-]+(?:\/|\.ts|\.js))`/g)].map((match) => match[1] as string);

  test.each([...new Set(named)])('%s is where the map says', (name) => {
    const places = [join(src, name), join(src, 'call', name), join(root, name)];
    expect(places.filter((place) => existsAs(place))).not.toEqual([]);
  });

  test('the steps on the map are the steps of the walk, in order', () => {
    const walk = readFileSync(join(src, 'call/walk.ts'), 'utf8');
    const body = walk.slice(walk.indexOf('export async function walk'));
    const steps = ['calls.open', 'identify(', 'routes.find', 'allow(', 'readBody(', 'findTargets(', 'chooseKey('];
    const last = ['joinLine(', 'announce(', 'askMason(', 'relay(', 'finish('];
    const at = [...steps, ...last].map((step) => body.indexOf(step));
    expect(at).not.toContain(-1);
    expect(at).toEqual(at.toSorted((a, b) => a - b));
  });
});

describe('The invariants that no linter knows', () => {
  test('a secret is revealed only where it is sealed, put on, or looked for', () => {
    const allowed = [
      'vault/',
      'audit/postgres/thread-settings.ts',
      'call/prepare.ts',
      'call/probe-key.ts',
      'call/relay.ts',
      'domain/secret.ts',
      'session/oidc/identity-provider.ts',
      'sinks-room.ts',
      'config/database-settings.ts',
      'config/redis-settings.ts',
      'redis/connect.ts',
      'store/postgres/open-pool.ts',
    ];
    const places = sources.filter(({ text }) => /\.reveal\(/.test(text)).map(({ file }) => file);
    expect(places.filter((file) => !allowed.some((place) => file.startsWith(place)))).toEqual([]);
    expect(places).not.toEqual([]);
  });

  test('no file is an attic', () => {
    const attics = sources.filter(({ file }) => /(?:^|\/)(?:utils?|helpers?|services?|common|misc|index)\b/.test(file));
    expect(attics.map(({ file }) => file)).toEqual([]);
  });

  test('no file has more than 250 lines', () => {
    const long = sources.filter(({ text }) => text.split('\n').length > 251);
    expect(long.map(({ file }) => file)).toEqual([]);
  });

  test('nothing is left undone or silenced without a reason', () => {
    const marks = /TODO|FIXME|XXX|not implemented|@ts-(?:ignore|expect-error|nocheck)|\bas any\b/;
    expect(sources.filter(({ text }) => marks.test(text)).map(({ file }) => file)).toEqual([]);
    const silenced = sources.filter(({ text }) => /biome-ignore [^:]+:\s*(?:\n|$)/.test(text));
    expect(silenced.map(({ file }) => file)).toEqual([]);
  });
});

function existsAs(place: string): boolean {
  try {
    return statSync(place).isDirectory() === place.endsWith('/');
  } catch {
    return false;
  }
}
