/** Shorter keys are not looked for: masking every "a" in an answer would destroy it and hide nothing. */
const KEY_BYTES_MIN = 8;
/** Of these, one that the key has not: a mask must not make up a key with the bytes around it. */
const MASKS = Buffer.from('*#~_');

/**
 * Cuts a key out of bytes that pass, whatever pieces they come in: plain, and as JSON, URLs, base64 and hex would write
 * it. The mask has the same length, so that a `Content-Length` stays true.
 */
export class Redactor {
  readonly #forms: KeyForms;
  /** The end of what came so far, when it could be the beginning of a needle. */
  #tail: Buffer | undefined;
  /** How often it was found. */
  found = 0;

  constructor(forms: KeyForms) {
    this.#forms = forms;
  }

  /** Takes a piece; gives what can leave now, which may be empty. */
  push(chunk: Buffer): Buffer {
    const bytes = this.#tail === undefined ? chunk : Buffer.concat([this.#tail, chunk]);
    this.#tail = undefined;
    const clean = this.#mask(bytes);
    const kept = this.#heldBack(clean);
    if (kept === 0) return clean;
    // A copy: the wire's buffer is not ours to keep.
    this.#tail = Buffer.from(clean.subarray(clean.length - kept));
    return clean.subarray(0, clean.length - kept);
  }

  /** What was held back, at the end: no needle after all. */
  end(): Buffer | undefined {
    const tail = this.#tail;
    this.#tail = undefined;
    return tail;
  }

  /** All bytes at once. */
  whole(bytes: Buffer): Buffer {
    return this.#mask(bytes);
  }

  /** A whole value at once. */
  text(value: string): string {
    if (!this.#forms.texts.some((form) => value.includes(form))) return value;
    const bytes = Buffer.from(value);
    const clean = this.#mask(bytes);
    return clean === bytes ? value : clean.toString();
  }

  #mask(bytes: Buffer): Buffer {
    let clean = bytes;
    const { needles, fill } = this.#forms;
    for (const needle of needles) {
      for (let at = clean.indexOf(needle); at !== -1; at = clean.indexOf(needle, at + needle.length)) {
        if (clean === bytes) clean = Buffer.from(bytes);
        clean.fill(fill, at, at + needle.length);
        this.found++;
      }
    }
    return clean;
  }

  /** Length of the longest end of `bytes` that begins a needle. */
  #heldBack(bytes: Buffer): number {
    const { needles, longest, firstBytes } = this.#forms;
    const from = Math.max(0, bytes.length - longest + 1);
    for (let at = from; at < bytes.length; at++) {
      if (firstBytes[bytes[at] as number] === 0) continue;
      const length = bytes.length - at;
      for (const needle of needles) {
        if (length < needle.length && bytes.compare(needle, 0, length, at, bytes.length) === 0) return length;
      }
    }
    return 0;
  }
}

/** What to look for, worked out once for a key. */
export interface KeyForms {
  readonly texts: readonly string[];
  readonly needles: readonly Buffer[];
  /** Bytes of the longest. */
  readonly longest: number;
  /** The byte to mask with. */
  readonly fill: number;
  /** By byte: whether a needle begins with it. Spares the end of each piece the comparisons. */
  readonly firstBytes: Uint8Array;
}

/** The forms in which a key could come back. None for keys too short to look for. */
export function formsOf(key: string): KeyForms {
  const texts = textsOf(key);
  const needles = texts.map((text) => Buffer.from(text));
  const firstBytes = new Uint8Array(256);
  for (const needle of needles) firstBytes[needle[0] as number] = 1;
  return {
    texts,
    needles,
    longest: needles.reduce((longest, needle) => Math.max(longest, needle.length), 0),
    fill: MASKS.find((byte) => !needles.some((needle) => needle.includes(byte))) ?? 0x2a,
    firstBytes,
  };
}

function textsOf(key: string): string[] {
  if (Buffer.byteLength(key) < KEY_BYTES_MIN) return [];
  const bytes = Buffer.from(key);
  const forms = [
    key,
    JSON.stringify(key).slice(1, -1),
    encodeURIComponent(key),
    bytes.toString('base64'),
    bytes.toString('base64url'),
    bytes.toString('hex'),
    bytes.toString('hex').toUpperCase(),
  ];
  return [...new Set(forms)].toSorted((a, b) => b.length - a.length);
}
