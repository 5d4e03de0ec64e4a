import { createServer } from 'node:http';
import { serve } from './serve.js';
import { relay } from './undici-relay.js';

serve(createServer(relay));
