import { copyFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort, ServerProcess } from "./child.ts";
import type { Peer } from "./subject.ts";

const worker = fileURLToPath(new URL("servers/workerd-hello.mjs", import.meta.url));

/** The package has no types; its default export is the path of the executable. */
const workerdBinary: string = createRequire(import.meta.url)("workerd").default;

/** Cloudflare's runtime: a V8 isolate per worker in one process. */
export async function startWorkerd(tempDir: string): Promise<Peer> {
  const port = await freePort();
  const config = join(tempDir, "workerd.capnp");
  copyFileSync(worker, join(tempDir, "worker.mjs"));
  writeFileSync(
    config,
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [ (name = "main", worker = .hello) ],
  sockets = [ (name = "http", address = "127.0.0.1:${port}", http = (), service = "main") ],
);
const hello :Workerd.Worker = (
  modules = [ (name = "worker.mjs", esModule = embed "worker.mjs") ],
  compatibilityDate = "2025-01-01",
);
`,
  );
  const server = new ServerProcess(workerdBinary, ["serve", config]);
  await server.answers(port, "/");
  return {
    subjects: [
      {
        name: "workerd",
        isolation: "V8 isolate, one process",
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
