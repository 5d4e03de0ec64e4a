import { XRAY_STATES, type XrayState } from './xray-devices.ts';

/** What a JSON text says of a device, or one line that says what is wrong with it. */
export function parseXrayState(json: string): { device: string; state: XrayState } | string {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return 'expected a JSON body: {"device", "state"}';
  }
  const { device, state } = Object(value) as { device?: unknown; state?: unknown };
  if (typeof device !== 'string' || device === '') return 'device: expected the id of a device';
  const known = XRAY_STATES.find((candidate) => candidate === state);
  return known === undefined ? `state: expected one of ${XRAY_STATES.join(', ')}` : { device, state: known };
}
