import type { Artifact } from './account.ts';
import { type Answer, conflict, invalid, jsonAnswer } from './answer.ts';
import type { Call } from './call.ts';
import { numericKeys, page } from './paging.ts';

const TYPES: ReadonlySet<string> = new Set(['apk', 'config', 'ota', 'media']);
const ARTIFACT_KEYS = numericKeys<Artifact>((artifact) => artifact.id);

export function listArtifacts(call: Call): Answer {
  return page(call.account.artifacts, ARTIFACT_KEYS, call.query, (artifact) => JSON.stringify(artifact));
}

/** The body is the file itself, named by `name`, `version` and `type` in the query; only its length and digest are kept. */
export function uploadArtifact(call: Call): Answer {
  const name = required(call, 'name');
  const version = required(call, 'version');
  const type = required(call, 'type');
  if (!TYPES.has(type)) throw invalid(`type must be one of ${[...TYPES].join(', ')}`);
  const { bytes, sha256 } = call.body;
  if (bytes === 0) throw invalid('The body, the artifact itself, is empty');
  const { artifacts } = call.account;
  if (artifacts.some((other) => other.name === name && other.version === version && other.type === type)) {
    throw conflict(`Artifact ${name} ${version} already exists`);
  }
  const id = artifacts.length + 1;
  const artifact = { id, name, type, version, bytes, sha256, createdAt: new Date().toISOString() };
  artifacts.push(artifact);
  call.account.done('upload', []);
  return jsonAnswer(artifact);
}

function required(call: Call, name: string): string {
  const value = call.query.get(name) ?? '';
  if (value === '') throw invalid(`Missing required parameter: ${name}`);
  return value;
}
