import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

const root = resolve(import.meta.dirname, '../..');

/** What somebody might write, where, and the rule that must see it. */
const PLANTED: readonly (readonly [file: string, content: string, rule: string])[] = [
  ['src/domain/planted.ts', "export { x } from '../config/env.ts';\n", 'noRestrictedImports'],
  ['src/domain/planted-io.ts', "import { request } from 'undici';\nrequest('');\n", 'noRestrictedImports'],
  ['src/mason/planted.ts', "import { x } from '../store/open-store.ts';\nx();\n", 'noRestrictedImports'],
  ['src/http/planted.ts', "import type { X } from '../call/walk.ts';\nexport type Y = X;\n", 'noRestrictedImports'],
  ['src/store/planted.ts', "import { x } from '../vault/tokens.ts';\nx();\n", 'noRestrictedImports'],
  ['src/lane/planted.ts', "import { x } from '../audit/recorder.ts';\nx();\n", 'noRestrictedImports'],
  ['src/session/oidc/planted.ts', "import { x } from '../../manage/act.ts';\nx();\n", 'noRestrictedImports'],
  ['src/audit/planted.ts', "import { x } from '../manage/act.ts';\nx();\n", 'noRestrictedImports'],
  ['src/call/planted.ts', "import { x } from '../manage/act.ts';\nx();\n", 'noRestrictedImports'],
  ['src/call/planted-config.ts', "import { x } from '../config/config.ts';\nx();\n", 'noRestrictedImports'],
  ['src/admin/planted.ts', "import { x } from '../gateway.ts';\nx();\n", 'noRestrictedImports'],
  [
    'src/call/planted-sql.ts',
    "import { DatabaseSync } from 'node:sqlite';\nnew DatabaseSync('');\n",
    'noRestrictedImports',
  ],
  ['src/client/planted.ts', "import { x } from '../mason/scopes.ts';\nx();\n", 'noRestrictedImports'],
  ['src/client/planted-node.ts', "import { readFileSync } from 'node:fs';\nreadFileSync('');\n", 'noRestrictedImports'],
  ['src/lane/learning/planted.ts', "import { x } from '../../audit/recorder.ts';\nx();\n", 'noRestrictedImports'],
  ['src/simulator/planted.ts', "import { x } from '../mason/scopes.ts';\nx();\n", 'noRestrictedImports'],
  ['src/simulator/fleet/planted.ts', "import { x } from '../../mason/scopes.ts';\nx();\n", 'noRestrictedImports'],
  ['src/call/planted-env.ts', 'export const x = process.env.HOME;\n', 'noProcessEnv'],
  ['src/call/planted-default.ts', 'export default 1;\n', 'noDefaultExport'],
  ['src/call/planted-barrel.ts', "export * from './walk.ts';\n", 'noBarrelFile'],
  ['src/call/PlantedName.ts', 'export const x = 1;\n', 'useFilenamingConvention'],
  ['src/call/planted-console.ts', "console.log('x');\n", 'noConsole'],
  [
    'src/lane/planted-a.ts',
    "import { b } from './planted-b.ts';\nexport const a = (): number => b();\n",
    'noImportCycles',
  ],
  [
    'src/lane/planted-b.ts',
    "import { a } from './planted-a.ts';\nexport const b = (): number => a();\n",
    'noImportCycles',
  ],
  ['src/call/planted-promise.ts', 'async function f(): Promise<void> {}\nf();\n', 'noFloatingPromises'],
  ['src/call/planted-any.ts', 'export const x = (y: any): number => y;\n', 'noExplicitAny'],
];

/** What is allowed beside it: a rule that sees violations everywhere proves nothing. */
const HONEST: readonly (readonly [file: string, content: string])[] = [
  ['src/call/honest.ts', "import { x } from '../mason/scopes.ts';\nx();\n"],
  ['src/mason/honest.ts', "import { x } from '../domain/secret.ts';\nx();\n"],
  ['src/lane/learning/honest.ts', "import { x } from '../../domain/secret.ts';\nx();\n"],
  ['src/session/oidc/honest.ts', "import { x } from '../../domain/secret.ts';\nx();\n"],
  ['src/audit/honest.ts', "import { DatabaseSync } from 'node:sqlite';\n\nnew DatabaseSync('');\n"],
  ['src/config/env.ts', "export const x = process.env['HOME'];\n"],
];

describe('The rules of the house are held by the linter', () => {
  let directory: string;
  let found: Map<string, string[]>;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'house-'));
    const config = JSON.parse(await (await import('node:fs/promises')).readFile(join(root, 'biome.json'), 'utf8'));
    await writeFile(join(directory, 'biome.json'), JSON.stringify({ ...config, vcs: { enabled: false } }));
    await cp(join(root, 'tsconfig.json'), join(directory, 'tsconfig.json'));
    for (const [file, content] of [...PLANTED, ...HONEST]) {
      await mkdir(dirname(join(directory, file)), { recursive: true });
      await writeFile(join(directory, file), content);
    }
    found = await lint(directory);
  });

  afterAll(() => rm(directory, { recursive: true }));

  test.each(PLANTED)('%s is seen', (file, _content, rule) => {
    expect(found.get(file) ?? []).toContainEqual(expect.stringContaining(rule));
  });

  test.each(HONEST)('%s is left alone', (file) => {
    expect(found.get(file) ?? []).toEqual([]);
  });
});

/** Rules by file. */
async function lint(directory: string): Promise<Map<string, string[]>> {
  const biome = join(root, 'node_modules/.bin/biome');
  const { stdout } = await promisify(execFile)(
    biome,
    ['lint', '--reporter=json', '--max-diagnostics=none', '--error-on-warnings', 'src'],
    { cwd: directory, maxBuffer: 16_777_216 },
  ).catch((error: { stdout: string }) => error);
  const report = JSON.parse(stdout) as {
    diagnostics: { category: string; location: { path: string | { file: string } } }[];
  };
  const found = new Map<string, string[]>();
  for (const { category, location } of report.diagnostics) {
    const file = typeof location.path === 'string' ? location.path : location.path.file;
    found.set(file, [...(found.get(file) ?? []), category]);
  }
  return found;
}
