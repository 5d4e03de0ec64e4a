import proxy from '@fastify/http-proxy';
import fastify from 'fastify';
import { key, serve, upstream } from './serve.js';

const app = fastify({ logger: false });
await app.register(proxy, {
  upstream,
  undici: { connections: 256, pipelining: 1 },
  replyOptions: {
    rewriteRequestHeaders: (_request, headers) => ({ ...headers, authorization: `basic ${key}` }),
  },
});
await app.ready();
serve(app.server);
