// The peers are JavaScript: their packages are installed by the bench, and the types of the product must not need them.

/** Upstream and key are given by the bench. */
export const [upstream, key] = process.argv.slice(2);

/** Listens on a free port and tells it; ends with whoever holds standard input. */
export function serve(server) {
  server.listen(0, '127.0.0.1', () => console.log(`PORT ${server.address().port}`));
  process.stdin.resume().on('end', () => process.exit());
}
