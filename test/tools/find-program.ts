import { accessSync, constants, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Tool } from './tools.ts';

/** The path of a tool: the one that its variable names, else the first on the PATH; undefined when there is none. */
export function findProgram({ programs, variable, releases }: Tool): string | undefined {
  const named = process.env[variable];
  if (named !== undefined && named !== '') return isProgram(named) ? named : undefined;
  const onThePath = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  const folders = [...onThePath, ...(releases === undefined ? [] : releaseFolders(releases))];
  return programs.flatMap((program) => folders.map((folder) => join(folder, program))).find(isProgram);
}

function releaseFolders(releases: string): string[] {
  try {
    const names = readdirSync(releases).sort((one, other) => Number(other) - Number(one));
    return names.map((release) => join(releases, release, 'bin'));
  } catch {
    return [];
  }
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
