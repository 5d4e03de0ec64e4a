#!/usr/bin/env node
// The command of the package. An older Node must be told what is wrong before it is given anything that it cannot parse.
await import('./node-version.js');
await import('./cli.ts');
