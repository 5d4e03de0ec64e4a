/** One part of the lane's bench. */
export interface Part {
  readonly name: string;
  /** What is asked, for the listing. */
  readonly about: string;
  run(): Promise<boolean>;
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
