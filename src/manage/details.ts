import { formatRateLimit, type RateLimit } from '../domain/budget.ts';

/** What an event says of an act, beside who and when. */
export type Details = Readonly<Record<string, string | number | boolean>>;

const CHARACTERS_MAX = 256;

/** The fields of inputs that stand on record. A list of what may, so that a new field with a secret does not by itself. */
const RECORDED_FIELDS: ReadonlySet<string> = new Set([
  'slug',
  'team',
  'name',
  'app',
  'id',
  'tokenId',
  'person',
  'scopes',
  'limit',
  'burst',
  'spreadMs',
  'budget',
  'weight',
  'from',
  'urgency',
  'effects',
  'force',
  'since',
  'until',
  'operation',
  'effect',
  'device',
  'status',
  'requestId',
  'kind',
  'group',
  'errorSource',
  'keyFingerprint',
  'tokenSha256',
  'format',
  'prune',
  'dryRun',
]);

/** What takes a setting back, as it was said. */
const WORDS_FOR_NONE: Readonly<Record<string, string>> = { limit: 'auto', burst: 'auto', spreadMs: 'measured' };

/** An input as it stands on record, without what shall not. */
export function detailsOf(input: unknown, unrecorded: readonly string[] = []): Details {
  const details: Record<string, string | number | boolean> = {};
  if (typeof input !== 'object' || input === null) return details;
  for (const [field, value] of Object.entries(input)) {
    if (value === undefined || !RECORDED_FIELDS.has(field) || unrecorded.includes(field)) continue;
    details[field] = value === null ? (WORDS_FOR_NONE[field] ?? 'none') : plain(value);
  }
  return details;
}

function plain(value: unknown): string | number | boolean {
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  if (Array.isArray(value)) return value.join(' ').slice(0, CHARACTERS_MAX);
  if (isRateLimit(value)) return formatRateLimit(value);
  return String(value).slice(0, CHARACTERS_MAX);
}

function isRateLimit(value: unknown): value is RateLimit {
  return typeof value === 'object' && value !== null && 'calls' in value && 'windowMs' in value;
}
