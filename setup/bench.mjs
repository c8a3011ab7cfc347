import { join } from "node:path";
import { root } from "./pinned-node.mjs";
import { prepare, runScript } from "./prepare.mjs";
import { runServer } from "./processes.mjs";

// npm run bench -- [--quick]: measurements, as ratios against references of the same run.
await runScript(async (args) => {
  const node = await prepare();
  return runServer(node, [join(root, "bench", "main.ts"), ...args], { onMessage() {} });
});
