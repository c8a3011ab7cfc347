import { connect, createServer } from "node:net";

/**
 * npm speaks to a proxy by host and port; ours is behind a unix socket. Bytes go on as they are.
 * @param {string} socketPath @returns {Promise<{port: number, close(): void}>}
 */
export async function startRelay(socketPath) {
  const server = createServer((inner) => {
    const outer = connect(socketPath);
    inner.pipe(outer).pipe(inner);
    inner.on("error", () => outer.destroy());
    outer.on("error", () => inner.destroy());
    inner.on("close", () => outer.destroy());
  });
  await new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve(undefined));
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the relay has no port");
  return { port: address.port, close: () => void server.close() };
}
