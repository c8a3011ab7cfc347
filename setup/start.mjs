import { join } from "node:path";
import { ensureConsole } from "./console.mjs";
import { welcome } from "./first-start.mjs";
import { root } from "./pinned-node.mjs";
import { prepare, runScript, say } from "./prepare.mjs";
import { runServer } from "./processes.mjs";

// npm start: from a fresh checkout to a server with two functions that answer. Arguments and ISOLA_* are settings of the server.
await runScript(async (args) => {
  const node = await prepare();
  await ensureConsole(node, say);
  return runServer(node, [join(root, "server", "src", "main.ts"), ...args], {
    onMessage(message) {
      if (message.type !== "ready") return;
      welcome({ node, server: message }).catch((error) => {
        say(`The examples could not be shown, the server goes on: ${error.message}`);
      });
    },
  });
});
