import { createServer } from 'node:http';
import express from 'express';
import { serve } from './serve.js';
import { relay } from './undici-relay.js';

const app = express();
app.disable('x-powered-by');
app.disable('etag');
app.use('/v1', (req, res) => {
  req.url = req.originalUrl;
  relay(req, res);
});
serve(createServer(app));
