import { join } from "node:path";
import { longFiles } from "./file-lengths.mjs";
import { root } from "./pinned-node.mjs";
import { prepare, runScript, say } from "./prepare.mjs";
import { runForOutput, toolEnvironment } from "./processes.mjs";
import { ensurePythonTools } from "./python-tools.mjs";

const pythonPlaces = [
  "--config",
  "runtimes/python/pyproject.toml",
  "runtimes/python",
  "images",
  "builders/python",
  "probes/python",
  "examples",
  "templates",
];
/** @type {[name: string, command: string, args: string[], folder: string][]} */
const pythonSteps = [
  ["python lint", "ruff", ["check", "--no-cache", ...pythonPlaces], "."],
  ["python format", "ruff", ["format", "--no-cache", "--check", ...pythonPlaces], "."],
  ["python types", "mypy", ["--cache-dir", "../../.cache/mypy"], "runtimes/python"],
  [
    "python types of the builder",
    "mypy",
    ["--strict", "--cache-dir", "../../.cache/mypy", "."],
    "builders/python",
  ],
  [
    "python types of the probe",
    "mypy",
    ["--strict", "--cache-dir", "../../.cache/mypy", "."],
    "probes/python",
  ],
];

// npm run check: everything about the sources that can be told without running them. Says all that is wrong, not only the first.
await runScript(async () => {
  const node = await prepare({ isolation: false });
  const env = toolEnvironment(node, root);
  const tools = [
    ["types", "tsc", ["-p", ".", "--noEmit"]],
    ["types of the console", "tsc", ["-p", "console", "--noEmit"]],
    ["lint", "oxlint", ["--type-aware", "--deny-warnings"]],
    ["format", "biome", ["format", "--reporter=summary"]],
    ["dead code", "knip", ["--no-progress"]],
    ["architecture", node, ["--test", "server/test/architecture.test.ts"]],
  ];
  const failed = [];
  for (const [name, command, args] of tools) {
    const { code, output } = await runForOutput(command, args, { cwd: root, env });
    if (!told(name, code === 0, output)) failed.push(name);
  }
  const tooLong = longFiles(root);
  if (!told("file lengths", tooLong.length === 0, tooLong.join("\n"))) failed.push("file lengths");
  failed.push(...(await checkPython()));
  if (failed.length > 0) say(`\nNot in order: ${failed.join(", ")}. \`npm run fix\` mends some.`);
  return failed.length === 0 ? 0 : 1;
});

/** Without the tools the Python checks are left out, and that is said; on CI it is a failure. */
async function checkPython() {
  const tools = await ensurePythonTools(say);
  if (tools.bin === undefined) {
    say(`- python checks: left out, their tools could not be installed: ${tools.problem}`);
    say("  apt-get install -y python3-venv, and access to PyPI, would make it work");
    return process.env.CI === "true" ? ["python tools"] : [];
  }
  const failed = [];
  for (const [name, command, args, folder] of pythonSteps) {
    const { code, output } = await runForOutput(join(tools.bin, command), args, {
      cwd: join(root, folder),
    });
    if (!told(name, code === 0, output)) failed.push(name);
  }
  return failed;
}

function told(name, isGood, output) {
  say(isGood ? `✓ ${name}` : `✗ ${name}\n${output.trim()}\n`);
  return isGood;
}
