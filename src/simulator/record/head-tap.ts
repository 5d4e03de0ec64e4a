/** More than the parser accepts, so that whatever it refused is still seen whole. */
const HEAD_KEPT_MAX = 256 * 1024;

type Place = 'head' | 'body' | 'chunk-size' | 'trailer' | 'lost';

/**
 * Reads along with the HTTP parser, before it, and keeps each request's head exactly as its bytes came: the parser hands on
 * names and values, but a test of what a gateway sends needs the bytes. Finds where a head begins by following the framing.
 * Heads are kept as latin1 texts, one character a byte.
 */
export class HeadTap {
  readonly #heads: string[] = [];
  #place: Place = 'head';
  #partial = '';
  /** Bytes of the body, or of one chunk and its line end, still to be passed over. */
  #skip = 0;
  #chunked = false;

  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) at = this.#step(chunk, at);
  }

  /** The head of the request that the parser has just announced; each is given once. */
  next(): string {
    return this.#heads.shift() ?? this.rest();
  }

  /** What has come and is no whole head, for a request that the parser refused. */
  rest(): string {
    const rest = [...this.#heads, this.#partial].join('');
    this.#heads.length = 0;
    this.#partial = '';
    return rest;
  }

  /** What follows is not HTTP any more. */
  leave(): void {
    this.#partial = '';
    this.#place = 'lost';
  }

  #step(chunk: Buffer, at: number): number {
    switch (this.#place) {
      case 'head':
        return this.#head(chunk, at);
      case 'body': {
        const passed = Math.min(this.#skip, chunk.length - at);
        this.#skip -= passed;
        if (this.#skip === 0) this.#place = this.#chunked ? 'chunk-size' : 'head';
        return at + passed;
      }
      case 'chunk-size':
      case 'trailer':
        return this.#line(chunk, at);
      case 'lost':
        return chunk.length;
    }
  }

  #head(chunk: Buffer, at: number): number {
    const before = this.#partial.length;
    const text = this.#partial + chunk.toString('latin1', at);
    // RFC 9112 section 2.2: empty lines before a request line are passed over; they belong to what came.
    const start = text.search(/[^\r\n]/);
    const end = start < 0 ? -1 : text.indexOf('\r\n\r\n', Math.max(start, before - 3));
    if (end < 0) {
      this.#partial = text;
      if (text.length > HEAD_KEPT_MAX) this.#place = 'lost';
      return chunk.length;
    }
    const head = text.slice(0, end + 4);
    this.#heads.push(head);
    this.#partial = '';
    this.#follow(head);
    return at + head.length - before;
  }

  /** RFC 9112 section 6.3, for requests: chunked, or a length, or no body. */
  #follow(head: string): void {
    this.#chunked = /\r\ntransfer-encoding:[^\r]*chunked/i.test(head);
    this.#skip = Number(/\r\ncontent-length:[ \t]*(\d+)/i.exec(head)?.[1] ?? 0);
    if (this.#chunked) this.#place = 'chunk-size';
    else if (this.#skip > 0) this.#place = 'body';
    // What follows a CONNECT is not HTTP any more.
    if (head.startsWith('CONNECT ')) this.#place = 'lost';
  }

  #line(chunk: Buffer, at: number): number {
    const end = chunk.indexOf(0x0a, at);
    const stop = end < 0 ? chunk.length : end + 1;
    this.#partial += chunk.toString('latin1', at, stop);
    if (end < 0) {
      if (this.#partial.length > HEAD_KEPT_MAX) this.#place = 'lost';
      return stop;
    }
    const line = this.#partial.trimEnd();
    this.#partial = '';
    if (this.#place === 'trailer') {
      if (line === '') this.#place = 'head';
    } else {
      const size = Number.parseInt(line, 16);
      if (size > 0) {
        this.#skip = size + 2;
        this.#place = 'body';
      } else {
        this.#place = size === 0 ? 'trailer' : 'lost';
      }
    }
    return stop;
  }
}
