/**
 * Loaded before a gateway: its wall clock is wrong from the start, its monotonic one is right. `?ahead=<ms>`, below 0 for behind,
 * or `?frozen`.
 */
const { searchParams } = new URL(import.meta.url);
const TrueDate = Date;
const begin = TrueDate.now();
const aheadMs = Number(searchParams.get('ahead') ?? 0);
const wrongNow = (): number => (searchParams.has('frozen') ? begin : TrueDate.now() + aheadMs);

globalThis.Date = class extends TrueDate {
  constructor(...given: unknown[]) {
    super(...((given.length === 0 ? [wrongNow()] : given) as [number]));
  }

  static override now(): number {
    return wrongNow();
  }
} as DateConstructor;
