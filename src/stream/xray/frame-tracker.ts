const HEADER_BYTES_MAX = 14;
const CONTROL_BYTES_MAX = 125;
const OPCODE_CLOSE = 0x8;
/** A close frame without a code counts as this one (RFC 6455 section 7.1.5). */
const CODE_NONE = 1005;

/**
 * Follows one direction of a WebSocket, in whatever pieces its bytes come, to know where frames end (RFC 6455 section 5.2): only
 * there may a frame of ours go in between. Looks at headers and at what a close frame says, and touches nothing.
 */
export class FrameTracker {
  readonly #header = Buffer.alloc(HEADER_BYTES_MAX);
  readonly #said = Buffer.alloc(CONTROL_BYTES_MAX);
  /** Bytes of the header that are here, and that it has as far as is known. */
  #have = 0;
  #need = 2;
  /** Bytes of the payload that are still to come; of a close frame those that were noted. */
  #left = 0;
  #noted = 0;
  /** The code of the close frame that passed; undefined: none did. */
  closeCode: number | undefined;
  /** Of frames other than control frames, each header counted as one. */
  dataBytes = 0;

  /** Whether what passed so far ends with a frame. */
  get atFrameEnd(): boolean {
    return this.#have === 0;
  }

  /**
   * Follows a piece from an offset on, to the end of the frame that stands there or to the end of the piece.
   *
   * @returns the offset behind what was followed
   */
  advance(piece: Buffer, from: number): number {
    let at = from;
    while (this.#have < this.#need) {
      if (at === piece.length) return at;
      this.#header[this.#have++] = piece[at++] as number;
      if (this.#have === 2) this.#need = headerBytes(this.#header);
      if (this.#have === this.#need) this.#begin();
    }
    const end = at + Math.min(this.#left, piece.length - at);
    if (this.#opcode < OPCODE_CLOSE) this.dataBytes += end - at;
    if (this.#opcode === OPCODE_CLOSE) this.#noted += piece.copy(this.#said, this.#noted, at, end);
    this.#left -= end - at;
    if (this.#left === 0) this.#end();
    return end;
  }

  get #opcode(): number {
    return (this.#header[0] as number) & 0x0f;
  }

  #begin(): void {
    this.#left = payloadBytes(this.#header);
    this.#noted = 0;
    if (this.#opcode < OPCODE_CLOSE) this.dataBytes++;
  }

  #end(): void {
    if (this.#opcode === OPCODE_CLOSE) this.closeCode ??= this.#codeSaid();
    this.#have = 0;
    this.#need = 2;
  }

  #codeSaid(): number {
    if (this.#noted < 2) return CODE_NONE;
    const code = this.#said.readUInt16BE(0);
    // Section 5.3: what clients send is masked, by the last four bytes of the header.
    return isMasked(this.#header) ? code ^ this.#header.readUInt16BE(this.#need - 4) : code;
  }
}

function isMasked(header: Buffer): boolean {
  return ((header[1] as number) & 0x80) !== 0;
}

/** Of the whole header, by its first two bytes. */
function headerBytes(header: Buffer): number {
  const length = (header[1] as number) & 0x7f;
  return 2 + (length === 126 ? 2 : length === 127 ? 8 : 0) + (isMasked(header) ? 4 : 0);
}

function payloadBytes(header: Buffer): number {
  const length = (header[1] as number) & 0x7f;
  if (length === 126) return header.readUInt16BE(2);
  // Exact up to 2^53, which at a gigabyte a second is more than three months.
  return length === 127 ? header.readUInt32BE(2) * 2 ** 32 + header.readUInt32BE(6) : length;
}
