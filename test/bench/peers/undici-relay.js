import { Pool } from 'undici';
import { key, upstream } from './serve.js';

const pool = new Pool(upstream, { connections: 256, pipelining: 1 });

/** The least that can be called a proxy: one call to undici's lowest interface, the answer as it comes. */
export function relay(req, res) {
  const { host: _host, connection: _connection, ...headers } = req.headers;
  headers.authorization = `basic ${key}`;
  const hasBody = req.headers['content-length'] !== undefined || req.headers['transfer-encoding'] !== undefined;
  pool.dispatch({ method: req.method, path: req.url, headers, body: hasBody ? req : null }, new Answer(res));
}

class Answer {
  #res;

  constructor(res) {
    this.#res = res;
  }

  onRequestStart() {}

  onResponseStart(controller, status, { connection: _connection, ...headers }) {
    this.#res.writeHead(status, headers);
    this.#res.on('drain', () => controller.resume());
  }

  onResponseData(controller, chunk) {
    if (!this.#res.write(chunk)) controller.pause();
  }

  onResponseEnd() {
    this.#res.end();
  }

  onResponseError() {
    this.#res.destroy();
  }
}
