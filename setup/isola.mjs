import { join } from "node:path";
import { root } from "./pinned-node.mjs";
import { prepare, runScript } from "./prepare.mjs";
import { runServer } from "./processes.mjs";

// npm run isola -- <command>: the command line from a checkout.
await runScript(async (args) => {
  const node = await prepare({ isolation: false });
  return runServer(node, [join(root, "cli", "src", "main.ts"), ...args], { onMessage() {} });
});
