import { join } from "node:path";
import { root } from "./pinned-node.mjs";
import { prepare, runScript, say } from "./prepare.mjs";
import { runToEnd, toolEnvironment } from "./processes.mjs";
import { ensurePythonTools } from "./python-tools.mjs";

// npm run fix: generated pages, what the linters can mend, format.
await runScript(async () => {
  const node = await prepare({ isolation: false });
  const env = toolEnvironment(node, root);
  const steps = [
    [node, ["setup/generate-docs.ts"]],
    ["oxlint", ["--fix"]],
    ["biome", ["format", "--write"]],
  ];
  const tools = await ensurePythonTools(say);
  if (tools.bin === undefined) say(`ruff could not be installed, left out: ${tools.problem}`);
  else {
    const ruff = join(tools.bin, "ruff");
    const places = [
      "--config",
      "runtimes/python/pyproject.toml",
      "runtimes/python",
      "images",
      "builders/python",
      "probes/python",
      "examples",
      "templates",
    ];
    steps.push([ruff, ["check", "--no-cache", "--fix", ...places]]);
    steps.push([ruff, ["format", "--no-cache", ...places]]);
  }
  let exitCode = 0;
  for (const [command, args] of steps)
    if ((await runToEnd(command, args, { cwd: root, env })) !== 0) exitCode = 1;
  return exitCode;
});
