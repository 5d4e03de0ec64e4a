import { GatewayError } from '../domain/errors.ts';
import type { StoredEvent } from '../domain/event.ts';
import { NAMES_MAX, type Names } from '../domain/names.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Details that hold the id of the person whom an act was done to. */
const SUBJECTS = ['id', 'person', 'holder'];

/**
 * Events with what the people in them are called, as far as anybody still knows: `actor.person`, and `details.personName` of whom
 * an act was done to. Without the store they are shown as they are: names decide nothing.
 */
export async function withNames(names: Names, events: readonly StoredEvent[]): Promise<StoredEvent[]> {
  const known = await knownOf(names, [...new Set(events.flatMap(({ event }) => idsIn(event)))]);
  return events.map((stored) => ({ ...stored, event: named(stored.event, known) }));
}

async function knownOf(names: Names, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const known = new Map<string, string>();
  try {
    for (let at = 0; at < ids.length; at += NAMES_MAX) {
      for (const [id, name] of await names.get(ids.slice(at, at + NAMES_MAX))) known.set(id, name);
    }
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
  }
  return known;
}

function idsIn({ actor, details }: Fields): string[] {
  return [Object(actor).personId, subjectOf(details)].filter((id) => typeof id === 'string');
}

function subjectOf(details: unknown): string | undefined {
  const values = SUBJECTS.map((field) => (Object(details) as Fields)[field]);
  return values.find((value): value is string => typeof value === 'string' && value.startsWith('per_'));
}

function named(event: Fields, known: ReadonlyMap<string, string>): Fields {
  const person = known.get(Object(event['actor']).personId);
  const personName = known.get(subjectOf(event['details']) ?? '');
  return {
    ...event,
    ...(person === undefined ? {} : { actor: { ...Object(event['actor']), person } }),
    ...(personName === undefined ? {} : { details: { ...Object(event['details']), personName } }),
  };
}
