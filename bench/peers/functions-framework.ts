import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort, ServerProcess } from "./child.ts";
import type { Peer } from "./subject.ts";

const source = fileURLToPath(new URL("functions-framework-source", import.meta.url));

/** Google's functions framework: an Express server around one function. */
export async function startFunctionsFramework(): Promise<Peer> {
  const port = await freePort();
  const entry = createRequire(import.meta.url).resolve("@google-cloud/functions-framework");
  const args = [join(dirname(entry), "main.js"), "--target=hello", `--port=${port}`];
  const server = new ServerProcess(process.execPath, [...args, `--source=${source}`], {
    env: { ...process.env, NODE_ENV: "production" },
  });
  await server.answers(port, "/");
  return {
    subjects: [
      {
        name: "functions-framework",
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
