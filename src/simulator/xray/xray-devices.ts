/**
 * How a device takes X-Ray: `ready` echoes; `absent` does not answer (close code 1013); `unsupported` refuses the upgrade (410);
 * `failing` says `device:fail`.
 */
export const XRAY_STATES = ['ready', 'absent', 'unsupported', 'failing'] as const;

/** One of {@link XRAY_STATES}. */
export type XrayState = (typeof XRAY_STATES)[number];

/** What X-Ray finds at the devices of an account. Unless it is said otherwise they are ready. */
export class XrayDevices {
  readonly #states = new Map<string, XrayState>();
  readonly #active = new Set<string>();

  set(device: string, state: XrayState): void {
    this.#states.set(device, state);
  }

  state(device: string): XrayState {
    return this.#states.get(device) ?? 'ready';
  }

  /** Devices with a session. */
  active(): string[] {
    return [...this.#active];
  }

  isActive(device: string): boolean {
    return this.#active.has(device);
  }

  begin(device: string): void {
    this.#active.add(device);
  }

  end(device: string): void {
    this.#active.delete(device);
  }
}
