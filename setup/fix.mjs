import { root } from "./pinned-node.mjs";
import { prepare, runScript, say } from "./prepare.mjs";
import { findCommand, runToEnd, toolEnvironment } from "./processes.mjs";

// npm run fix: generated pages, what the linters can mend, format.
await runScript(async () => {
  const node = await prepare({ isolation: false });
  const env = toolEnvironment(node, root);
  const steps = [
    [node, ["setup/generate-docs.ts"]],
    ["oxlint", ["--fix"]],
    ["biome", ["format", "--write"]],
    ["ruff", ["check", "--fix", "runtimes/python", "examples"]],
    ["ruff", ["format", "runtimes/python", "examples"]],
  ];
  let exitCode = 0;
  for (const [command, args] of steps) {
    if (command !== node && !findCommand(command, env.PATH)) {
      say(`${command} is not installed: left out`);
      continue;
    }
    if ((await runToEnd(command, args, { cwd: root, env })) !== 0) exitCode = 1;
  }
  return exitCode;
});
