/** How far those who follow the record have come, by the name of each. Every method may throw GatewayError `store_unavailable`. */
export interface Positions {
  get(name: string): Promise<string | undefined>;
  /** @param value at most 65,536 characters, throws RangeError otherwise */
  set(name: string, value: string): Promise<void>;
}

export const POSITION_CHARACTERS_MAX = 65_536;
