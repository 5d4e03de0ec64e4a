/** What somebody saw of a chain: that this event ended a batch, with this link. */
export interface WitnessPoint {
  readonly chain: string;
  readonly seq: number;
  /** Hex. */
  readonly link: string;
  /** Who says so, in words: a file, the run after it. */
  readonly source: string;
  /** Whether it was kept elsewhere: then who can write the record could not change it too. */
  readonly isOutside: boolean;
  /** Milliseconds since 1970, when it was seen; absent where nobody knows. */
  readonly at?: number;
}

/** So many points of a chain are looked at, spread evenly, the newest among them: each vouches for all before it. */
const POINTS_MAX = 1_024;

interface Page {
  readonly points: WitnessPoint[];
  stride: number;
  skipped: number;
}

/** All that witnesses say, by chain, in memory of bounded size. */
export class WitnessBook {
  readonly #pages = new Map<string, Page>();

  /** In any order; but those of one witness best in theirs. Of a chain that had no event there is nothing to be seen. */
  add(point: WitnessPoint): void {
    if (point.seq <= 0) return;
    const page = this.#pages.getOrInsertComputed(point.chain, () => ({ points: [], stride: 1, skipped: 0 }));
    const last = page.points.at(-1);
    if (last?.seq === point.seq && last.link === point.link && last.isOutside === point.isOutside) return;
    page.skipped += 1;
    // The newest is always kept; the one before gives way unless its turn has come.
    if (
      page.skipped < page.stride &&
      last !== undefined &&
      last.seq < point.seq &&
      last.isOutside === point.isOutside
    ) {
      page.points[page.points.length - 1] = point;
      return;
    }
    page.skipped = 0;
    page.points.push(point);
    if (page.points.length < POINTS_MAX * 2) return;
    const newest = newestOf(page.points);
    const thinned = page.points.filter((kept, place) => place % 2 === 0 || newest.includes(kept));
    page.points.splice(0, page.points.length, ...thinned);
    page.stride *= 2;
  }

  /** Takes out what is known of a chain, oldest event first. */
  take(chain: string): WitnessPoint[] {
    const points = this.#pages.get(chain)?.points ?? [];
    this.#pages.delete(chain);
    return points.toSorted((a, b) => a.seq - b.seq);
  }

  /** The newest point of each chain that nobody took out. */
  left(): WitnessPoint[] {
    return [...this.#pages.values()].flatMap(({ points }) => points.toSorted((a, b) => b.seq - a.seq).slice(0, 1));
  }
}

/** Of those from outside, and of all. */
function newestOf(points: readonly WitnessPoint[]): (WitnessPoint | undefined)[] {
  const byAge = points.toSorted((a, b) => b.seq - a.seq);
  return [byAge[0], byAge.find(({ isOutside }) => isOutside)];
}
