import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { SourceTextModule } from 'node:vm';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { loadConfig } from '../../src/config/config.ts';
import { SELF_SIGNED } from '../support/raw-certificate.ts';
import { findProgram } from '../tools/find-program.ts';

const root = resolve(import.meta.dirname, '../..');
const docs = await readFile(join(root, 'docs/callers.md'), 'utf8');
const run = promisify(execFile);

/** Code in `docs/callers.md`, by language. */
const blocks = Map.groupBy(docs.matchAll(/^```(\w+)\n(.*?)^```$/gms), ([, language]) => language as string);
const code = (language: string): string[] => (blocks.get(language) ?? []).map(([, , text]) => text as string);

/** A tool of somebody else's: where it is not, its language stays unread. */
const found = (program: string) => findProgram({ programs: [program], debianPackage: program, variable: 'NONE_SUCH' });

describe('docs/callers.md tells what works', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'callers-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test('Every language in it is one that is looked at here', () => {
    expect([...blocks.keys()].toSorted()).toEqual(['js', 'nginx', 'python', 'sh', 'ts', 'yaml']);
  });

  test('Its TypeScript compiles against the client as it is', async () => {
    const files = code('ts').map((_, index) => `block-${index}.ts`);
    for (const [index, text] of code('ts').entries()) await writeFile(join(folder, `block-${index}.ts`), text);
    await writeFile(
      join(folder, 'tsconfig.json'),
      JSON.stringify({
        extends: join(root, 'tsconfig.json'),
        compilerOptions: {
          module: 'esnext',
          moduleResolution: 'bundler',
          lib: ['esnext', 'dom', 'dom.iterable'],
          typeRoots: [join(root, 'node_modules/@types')],
          noUnusedLocals: false,
          paths: { 'mason-gateway/client': [join(root, 'src/client/client.ts')] },
        },
        include: files,
      }),
    );
    const tsc = join(root, 'node_modules/.bin/tsc');
    const { stdout } = await run(tsc, ['-p', folder]).catch((error: { stdout: string }) => error);
    expect(stdout).toBe('');
  });

  test('Its JavaScript parses', () => {
    for (const text of code('js')) expect(() => new SourceTextModule(text)).not.toThrow();
  });

  test('Its settings are settings that the gateway takes', async () => {
    for (const text of code('yaml')) {
      const file = join(folder, 'gateway.yaml');
      await writeFile(file, text);
      expect(() => loadConfig({ GATEWAY_CONFIG: file })).not.toThrow();
    }
  });

  test('Its Python parses', async () => {
    const python = found('python3');
    if (python === undefined) return;
    for (const text of code('python')) await run(python, ['-c', 'import ast, sys; ast.parse(sys.argv[1])', text]);
  });

  test('nginx takes its nginx', async () => {
    const nginx = found('nginx');
    if (nginx === undefined) return;
    await writeFile(join(folder, 'site.crt'), SELF_SIGNED.cert);
    await writeFile(join(folder, 'site.key'), SELF_SIGNED.key);
    const server = code('nginx').join('\n').replaceAll('/etc/ssl/fleet.example.com', join(folder, 'site'));
    const places = `pid ${folder}/pid; error_log stderr;`;
    await writeFile(join(folder, 'nginx.conf'), `${places}\nevents {}\nhttp { access_log off;\n${server}\n}\n`);
    const { stderr } = await run(nginx, ['-t', '-p', folder, '-c', join(folder, 'nginx.conf')]).catch(
      (error: { stderr: string }) => error,
    );
    expect(stderr).toContain('test is successful');
  });
});
