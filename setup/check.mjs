import { longFiles } from "./file-lengths.mjs";
import { root } from "./pinned-node.mjs";
import { prepare, runScript, say } from "./prepare.mjs";
import { findCommand, runForOutput, toolEnvironment } from "./processes.mjs";

/**
 * Python tools are no npm packages: they are used where they are installed.
 * @type {[name: string, command: string, args: string[]][]}
 */
const optionalSteps = [
  ["python lint", "ruff", ["check", "runtimes/python", "examples"]],
  ["python format", "ruff", ["format", "--check", "runtimes/python", "examples"]],
  ["python types", "mypy", ["runtimes/python/isola_runtime"]],
];

// npm run check: everything about the sources that can be told without running them. Says all that is wrong, not only the first.
await runScript(async () => {
  const node = await prepare({ isolation: false });
  const env = toolEnvironment(node, root);
  const tools = [
    ["types", "tsc", ["-p", ".", "--noEmit"]],
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
  for (const [name, command, args] of optionalSteps) {
    if (!findCommand(command, env.PATH)) {
      say(`- ${name}: left out, ${command} is not installed (pip install ${command})`);
      continue;
    }
    const { code, output } = await runForOutput(command, args, { cwd: root, env });
    if (!told(name, code === 0, output)) failed.push(name);
  }
  if (failed.length > 0) say(`\nNot in order: ${failed.join(", ")}. \`npm run fix\` mends some.`);
  return failed.length === 0 ? 0 : 1;
});

function told(name, isGood, output) {
  say(isGood ? `✓ ${name}` : `✗ ${name}\n${output.trim()}\n`);
  return isGood;
}
