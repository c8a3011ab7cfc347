import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort, ServerProcess } from "./child.ts";
import type { Peer } from "./subject.ts";

const proxyServer = fileURLToPath(new URL("servers/proxy-server.mjs", import.meta.url));

/** An HTTP proxy before a Node server in a process of its own. */
export async function startUndiciProxy(tempDir: string): Promise<Peer> {
  const port = await freePort();
  const args = [proxyServer, String(port), join(tempDir, "upstream.sock")];
  const server = new ServerProcess(process.execPath, args);
  await server.answers(port, "/");
  return {
    subjects: [
      {
        name: "undici proxy",
        isolation: "none, two processes",
        rootPid: server.pid,
        port,
        path: "/",
        settleMs: 0,
        takes: () => true,
      },
    ],
    close: () => server.stop(),
  };
}
