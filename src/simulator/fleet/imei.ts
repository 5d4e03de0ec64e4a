const SERIALS = 1_000_000;

/** A well-formed IMEI for the device with this index (3GPP TS 23.003: 8 digits of type, 6 of serial, Luhn's check digit). */
export function imeiOf(index: number): string {
  const type = String(35_847_100 + Math.floor(index / SERIALS));
  const serial = String(index % SERIALS).padStart(6, '0');
  const payload = `${type}${serial}`;
  return `${payload}${luhn(payload)}`;
}

function luhn(payload: string): number {
  let sum = 0;
  for (let at = 0; at < payload.length; at += 1) {
    const digit = Number(payload[payload.length - 1 - at]);
    const weighted = at % 2 === 0 ? digit * 2 : digit;
    sum += weighted > 9 ? weighted - 9 : weighted;
  }
  return (10 - (sum % 10)) % 10;
}
