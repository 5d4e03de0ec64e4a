import { writeFileSync } from 'node:fs';
import type { Operation } from '../domain/operation.ts';
import { OPERATIONS } from '../mason/operations.ts';

const LINE_MAX = 120;

const HEAD = `// Written by "npm run client:generate" from the table of operations: change that one.

import type { Answers, Bodies, Queries } from './operation-types.ts';
import type { CallOptions, Confirmed } from './options.ts';
import type { Paged } from './paged.ts';
import type { Wire } from './wire.ts';

/** Mason's API, by what it is about. */
export function operationsOver(wire: Wire) {
  return {
`;

const EFFECTS: Readonly<Record<Operation['effect'], string>> = {
  read: 'Reads',
  change: 'Changes',
  disruptive: 'Disrupts',
  destructive: 'Cannot be undone',
};

/** What a client calls the things that can be listed by more than one: `client.devices.list()`. */
const PLURAL: Readonly<Record<string, string>> = {
  device: 'devices',
  group: 'groups',
  sim: 'sims',
  user: 'users',
  artifact: 'artifacts',
};

/** The source of `operations.ts`, formatted as the rest of the house. */
export function operationsSource(operations: readonly Operation[]): string {
  // A WebSocket is no call with an answer, and a download is none with an object that could be read whole.
  const calls = operations.filter(
    ({ upgrade, method: by, transfer }) => upgrade === undefined && (by !== 'GET' || transfer === 'buffered'),
  );
  const nouns = Map.groupBy(calls, ({ id }) => id.split('.')[0] as string);
  const parts = Array.from(nouns, ([noun, own]) => {
    const [only] = own;
    if (only?.id === noun) return method(noun, only, '    ');
    const methods = own.map((operation) => method(operation.id.slice(noun.length + 1), operation, '      '));
    return `    ${PLURAL[noun] ?? noun}: {\n${methods.join('')}    },\n`;
  });
  return `${HEAD}${parts.join('')}  };\n}\n`;
}

function method(name: string, operation: Operation, indent: string): string {
  const { id, path, paged, confirm } = operation;
  const type = (of: string): string => `${of}['${id}']`;
  const inPath = Array.from(path.matchAll(/\{(\w+)\}/g), ([, parameter]) => parameter as string);
  const hasBody = operation.method !== 'GET' && operation.method !== 'DELETE';
  const hasQuery = paged || operation.transfer === 'stream';
  const parameters = [
    ...inPath.map((parameter) => `${parameter}: string`),
    ...(hasBody ? [`body: ${type('Bodies')}`] : []),
    ...(hasQuery ? [`query: ${type('Queries')}${paged ? ' = {}' : ''}`] : []),
    confirm === undefined ? 'options?: CallOptions' : `options: CallOptions & Confirmed<'${confirm}'>`,
  ];
  const answer = paged ? `Paged<${type('Answers')}>` : `Promise<${type('Answers')}>`;
  const content = [
    ...(inPath.length > 0 ? [`parameters: { ${inPath.join(', ')} }`] : []),
    ...(hasBody ? ['body'] : []),
    ...(hasQuery ? ['query'] : []),
  ];
  const given = content.length > 0 ? `{ ${content.join(', ')} }` : '{}';
  const call = paged ? `pages('${path}', query, options)` : `ask('${operation.method}', '${path}', ${given}, options)`;
  return [
    `${indent}/** \`${operation.method} ${path}\`, \`${id}\`. ${EFFECTS[operation.effect]}; scope \`${operation.scope}\`. Standing: ${operation.standing}. */\n`,
    signature(name, parameters, answer, indent),
    `${indent}  return wire.${call};\n`,
    `${indent}},\n`,
  ].join('');
}

function signature(name: string, parameters: readonly string[], answer: string, indent: string): string {
  const line = `${indent}${name}(${parameters.join(', ')}): ${answer} {`;
  if (line.length <= LINE_MAX) return `${line}\n`;
  const each = parameters.map((parameter) => `${indent}  ${parameter},\n`).join('');
  return `${indent}${name}(\n${each}${indent}): ${answer} {\n`;
}

if (import.meta.main) writeFileSync(new URL('./operations.ts', import.meta.url), operationsSource(OPERATIONS));
