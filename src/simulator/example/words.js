// What the page says in words.
import { GatewayCallError } from './client/client.js';

const SOURCES = { gateway: 'The gateway says', mason: 'Mason says', network: 'On the way' };

/** An error as paragraphs. */
export function wordsOf(error) {
  if (!(error instanceof GatewayCallError)) return [String(error?.message ?? error)];
  const { source, message, retryAfterMs, requestId, type } = error;
  return [
    `${SOURCES[source]}: ${message}`,
    ...(type === 'network_error' ? ['Is the gateway running, and is this page among its "frontends"?'] : []),
    ...(retryAfterMs === undefined ? [] : [`Try again in ${inSeconds(retryAfterMs)}.`]),
    ...(requestId === undefined ? [] : [`Request ${requestId}: name it when you ask for help.`]),
  ];
}

/** What is left of the caller's share of the rate budget. */
export function wordsOfBudget({ calls, windowMs, remaining }) {
  // Slots come one by one: just after a call there is none free for a moment.
  const next = remaining > 0 ? `${remaining} could go at once` : 'the next goes in its turn';
  return `Rate budget: your share is ${calls} calls in ${inSeconds(windowMs)}; ${next}.`;
}

/** A time as people say it. */
export function wordsOfTime(iso) {
  const time = new Date(iso);
  return Number.isNaN(time.getTime())
    ? '–'
    : time.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
}

function inSeconds(milliseconds) {
  const seconds = Math.ceil(milliseconds / 1_000);
  return seconds === 1 ? 'a second' : `${seconds} seconds`;
}
