import { z } from 'zod';
import type { RateAnswer } from '../../domain/learning.ts';

/** What one gateway saw of a limit that it does not learn itself. */
export interface Seen {
  readonly gateway: string;
  /** When calls were sent, and how many about then; ascending. */
  readonly sent: readonly (readonly [at: number, calls: number])[];
  /** Whether others waited at each of them. */
  readonly waits: boolean;
  /** Refusals, and the last call that was taken. */
  readonly heard: readonly RateAnswer[];
}

const INSTANTS_MAX = 64;
const INSTANT_MS = 25;
const REFUSALS_MAX = 64;
const CHARACTERS_MAX = 16_384;

/** What this gateway saw since it was asked last, in bounded memory however long ago that was. */
export class SeenLog {
  readonly #gateway: string;
  #sent: [at: number, calls: number][] = [];
  #instantMs = INSTANT_MS;
  #waits = true;
  #refused: RateAnswer[] = [];
  #taken: RateAnswer | undefined;

  constructor(gateway: string) {
    this.#gateway = gateway;
  }

  get isEmpty(): boolean {
    return this.#sent.length === 0 && this.#refused.length === 0 && this.#taken === undefined;
  }

  sent(at: number, waiting: boolean): void {
    this.#waits &&= waiting;
    const last = this.#sent.at(-1);
    if (last !== undefined && at - last[0] < this.#instantMs) last[1]++;
    else this.#sent.push([at, 1]);
    if (this.#sent.length > INSTANTS_MAX) this.#coarsen();
  }

  heard(answer: RateAnswer): void {
    if (!answer.refused) {
      const { sentAt = answer.sentAt, stated = [] } = this.#taken ?? {};
      this.#taken = {
        ...answer,
        sentAt: Math.max(sentAt, answer.sentAt),
        stated: answer.stated.length > 0 ? answer.stated : stated,
      };
    } else if (this.#refused.length < REFUSALS_MAX) {
      // What they state is the same.
      this.#refused.push(this.#refused.length === 0 ? answer : { ...answer, stated: [] });
    }
  }

  /** Forgets it. */
  take(): Seen {
    const heard = this.#taken === undefined ? this.#refused : [...this.#refused, this.#taken];
    const seen = { gateway: this.#gateway, sent: this.#sent, waits: this.#waits, heard };
    this.#sent = [];
    this.#instantMs = INSTANT_MS;
    this.#waits = true;
    this.#refused = [];
    this.#taken = undefined;
    return seen;
  }

  #coarsen(): void {
    this.#instantMs *= 2;
    const fewer: [number, number][] = [];
    for (const [at, calls] of this.#sent) {
      const last = fewer.at(-1);
      if (last !== undefined && at - last[0] < this.#instantMs) last[1] += calls;
      else fewer.push([at, calls]);
    }
    this.#sent = fewer;
  }
}

const instant = z.number().min(-1e15).max(1e15);
const maybe = z.number().min(0).max(1e10).optional();
const seen = z.object({
  gateway: z.string().max(256),
  sent: z.array(z.tuple([instant, z.int().min(1).max(1e9)])).max(INSTANTS_MAX),
  waits: z.boolean(),
  heard: z
    .array(
      z.object({
        sentAt: instant,
        refused: z.boolean(),
        askedMs: maybe,
        stated: z.array(z.object({ calls: z.number(), windowMs: maybe, remaining: maybe, resetMs: maybe })).max(8),
      }),
    )
    .max(REFUSALS_MAX + 1),
});

/** For another gateway, whose clock is another. */
export function seenText(seen: Seen, toOther: (at: number) => number): string {
  return JSON.stringify(onClock(seen, toOther));
}

/** Undefined: not what a gateway of this release wrote. */
export function parseSeen(text: string, toHere: (at: number) => number): Seen | undefined {
  if (text.length > CHARACTERS_MAX) return undefined;
  try {
    const { data } = seen.safeParse(JSON.parse(text));
    return data && onClock({ ...data, heard: data.heard.map(complete) }, toHere);
  } catch {
    return undefined;
  }
}

function onClock(seen: Seen, to: (at: number) => number): Seen {
  return {
    ...seen,
    sent: seen.sent.map(([at, calls]) => [to(at), calls]),
    heard: seen.heard.map((answer) => ({ ...answer, sentAt: to(answer.sentAt) })),
  };
}

function complete({ sentAt, refused, askedMs, stated }: z.output<typeof seen>['heard'][number]): RateAnswer {
  return {
    sentAt,
    refused,
    askedMs,
    stated: stated.map(({ calls, windowMs, remaining, resetMs }) => ({ calls, windowMs, remaining, resetMs })),
  };
}
