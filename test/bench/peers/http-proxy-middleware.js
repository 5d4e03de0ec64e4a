import { Agent, createServer } from 'node:http';
import express from 'express';
import { createProxyMiddleware } from 'http-proxy-middleware';
import { key, serve, upstream } from './serve.js';

const app = express();
app.disable('x-powered-by');
const proxy = createProxyMiddleware({
  target: upstream,
  changeOrigin: true,
  // Without an agent it opens a connection for each call: with one it is measured at its best.
  agent: new Agent({ keepAlive: true, maxSockets: 256 }),
  headers: { authorization: `basic ${key}` },
});
app.use(proxy);
const server = createServer(app);
server.on('upgrade', proxy.upgrade);
serve(server);
