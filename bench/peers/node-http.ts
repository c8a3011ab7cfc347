import { fileURLToPath } from "node:url";
import { freePort, ServerProcess } from "./child.ts";
import type { Peer } from "./subject.ts";

export const helloServer = fileURLToPath(new URL("servers/hello-server.mjs", import.meta.url));

/** The floor: no proxy, no second process, no isolation. */
export async function startNodeHttp(): Promise<Peer> {
  const port = await freePort();
  const server = new ServerProcess(process.execPath, [helloServer, String(port)]);
  await server.answers(port, "/");
  return {
    subjects: [
      {
        name: "node:http",
        isolation: "none, one process",
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
