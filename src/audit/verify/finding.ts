/** Something that is not as it was written. */
export interface Finding {
  /** Where it is: `<gateway id>/<run>`; absent where no chain is concerned. */
  readonly chain?: string;
  /** The event where it shows, or the first of those that it may be. */
  readonly seq?: number;
  /** Line of the export, from 1. */
  readonly line?: number;
  readonly message: string;
}

const KEPT_MAX = 1_000;

/** What was found, all of it counted, and the first thousand kept. */
export class Findings {
  readonly kept: Finding[] = [];
  total = 0;
  readonly #onFinding: (finding: Finding) => void;

  constructor(onFinding: (finding: Finding) => void = () => undefined) {
    this.#onFinding = onFinding;
  }

  add(finding: Finding): void {
    this.total += 1;
    if (this.kept.length >= KEPT_MAX) return;
    this.kept.push(finding);
    this.#onFinding(finding);
  }
}
