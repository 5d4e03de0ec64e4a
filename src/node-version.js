// Preloaded before any TypeScript: plain JavaScript that an older Node can still parse, so that it says what is wrong.
const major = Number(process.versions.node.split('.')[0]);
if (major < 26) {
  process.stderr.write(
    `mason-gateway needs Node 26 or newer, this is ${process.versions.node} (${process.execPath}). ` +
      '"npm ci" brings the right one where it exists for this platform; else install Node 26.\n',
  );
  process.exit(1);
}
