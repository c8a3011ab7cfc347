import { join } from "node:path";
import { root } from "./pinned-node.mjs";
import { prepare, runScript } from "./prepare.mjs";
import { runServer } from "./processes.mjs";

// npm run isola -- <command>: the command line from a checkout. npm has changed to the checkout: paths in arguments are meant from the caller's folder, but for
// `up`, which starts the same server as `npm start` does, with the checkout's data folder.
await runScript(async (args) => {
  const node = await prepare({ isolation: false });
  const cwd = args[0] === "up" ? root : (process.env.INIT_CWD ?? process.cwd());
  const command = [join(root, "cli", "src", "main.ts"), ...args];
  return runServer(node, command, { cwd, onMessage() {} });
});
