const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const UUID_BYTES = 16;

/** A request id as it is stored: a UUID in 16 bytes, half of what its text takes; anything else in an odd number of them. */
export function requestBytes(id: string | undefined): Buffer {
  if (id === undefined) return Buffer.alloc(0);
  return UUID.test(id) ? Buffer.from(id.replaceAll('-', ''), 'hex') : Buffer.from(`\0${id}`, 'utf16le').subarray(1);
}

/** The request id that is stored so. */
export function requestId(bytes: Buffer): string | undefined {
  if (bytes.length === 0) return undefined;
  if (bytes.length !== UUID_BYTES) return bytes.subarray(1).toString('utf16le');
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
