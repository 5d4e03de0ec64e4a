import type { IncomingHttpHeaders } from 'node:http';
import type { BodyRead } from '../body.ts';
import type { Account } from './account.ts';
import { type Answer, invalid } from './answer.ts';

/** One call that is allowed and has its body: what a handler needs. */
export interface Call {
  readonly account: Account;
  /** The parts of the path that the route names, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: BodyRead;
  /** It asks to become a WebSocket. */
  readonly upgrade: boolean;
}

export type Handler = (call: Call) => Answer;

/** The body as a JSON object, or the documented 400. */
export function jsonBody(call: Call): Readonly<Record<string, unknown>> {
  const text = call.body.content.toString('utf8');
  if (text === '') throw invalid('A JSON body is required');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalid('The body is not valid JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid('The body must be a JSON object');
  return value as Record<string, unknown>;
}

/** A required, non-empty text of the body. */
export function requiredText(body: Readonly<Record<string, unknown>>, name: string): string {
  const value = body[name];
  if (value === undefined || value === null || value === '') throw invalid(`Missing required parameter: ${name}`);
  if (typeof value !== 'string') throw invalid(`${name} must be a string`);
  return value;
}

/** A required, non-empty list of texts of the body, repetitions removed. */
export function requiredTexts(body: Readonly<Record<string, unknown>>, name: string): string[] {
  const value = body[name];
  if (value === undefined || value === null) throw invalid(`Missing required parameter: ${name}`);
  const texts = Array.isArray(value) ? value.filter((entry) => typeof entry === 'string' && entry !== '') : [];
  if (!Array.isArray(value) || texts.length !== value.length || texts.length === 0) {
    throw invalid(`${name} must be a list of at least one string`);
  }
  return [...new Set<string>(texts)];
}

/** A named part of the path; the route table guarantees that it is there. */
export function param(call: Call, name: string): string {
  return call.params[name] ?? '';
}
