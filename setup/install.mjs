import { ensureConsole } from "./console.mjs";
import { prepare, runScript, say } from "./prepare.mjs";

// node setup/install.mjs: what `npm start` does before it starts the server; for a service or an image, which start it themselves. `--image`: bubblewrap is the image's, and cannot be tried while it is built.
await runScript(async (args) => {
  const node = await prepare({ isolation: !args.includes("--image") });
  await ensureConsole(node, say);
  say(`Installed. The server: ${node} server/src/main.ts`);
  return 0;
});
