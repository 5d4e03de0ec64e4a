import type { AddressInfo } from 'node:net';
import express, { type Response } from 'express';

/** The least that can hold requests: what waiting costs without any gateway. */
const held: Response[] = [];
const server = express()
  .disable('x-powered-by')
  .get('/{*path}', (_req, res) => void held.push(res))
  .listen(0, '127.0.0.1', () => console.log(`PORT ${(server.address() as AddressInfo).port}`));
