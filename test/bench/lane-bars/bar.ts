/** How much of the bench is asked for. */
export interface Extent {
  /** Every combination, and each for longer. */
  readonly long: boolean;
}

/** One part of the lane's bench. */
export interface Part {
  readonly name: string;
  /** What is asked, for the listing. */
  readonly about: string;
  run(extent: Extent): Promise<boolean>;
}

/** Prints a number beside its bar. */
export function judge(met: boolean, text: string): boolean {
  console.log(`  ${met ? 'met ' : 'MISS'}  ${text}`);
  return met;
}

/** Prints a number that has no bar. */
export function tell(text: string): void {
  console.log(`        ${text}`);
}

export function percent(part: number): string {
  return `${(part * 100).toFixed(1)} %`;
}
