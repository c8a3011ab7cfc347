import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { footprint, leaksSince } from "./leaks.mjs";
import { root } from "./pinned-node.mjs";
import { prepare, runScript, say } from "./prepare.mjs";
import { runToEnd, toolEnvironment } from "./processes.mjs";
import { sourceFiles } from "./source-files.mjs";

const TEST_MS_MAX = 300_000;

// npm test [-- files]: every *.test.ts. With CI=true a skipped test is a failure: a machine for CI has what the tests need.
await runScript(async (args) => {
  const node = await prepare();
  const files = args.length > 0 ? args : sourceFiles(root, [".test.ts"]);
  if (files.length === 0) throw new Error("There are no tests.");
  const before = footprint();
  const { code, tally } = await runTests(node, files);
  const leaks = await leaksSince(before);
  const problems = [
    ...(tally.tests === 0 ? ["No test ran."] : []),
    ...(process.env.CI === "true" ? tally.skipped.map((skip) => `Skipped: ${skip}`) : []),
    ...leaks.map((leak) => `Left behind: ${leak}`),
  ];
  for (const problem of problems) say(problem);
  return code === 0 && problems.length > 0 ? 1 : code;
});

async function runTests(node, files) {
  const dir = mkdtempSync(join(tmpdir(), "isola-test-tally-"));
  const tallyPath = join(dir, "tally.json");
  const options = [
    "--test",
    `--test-concurrency=${Math.max(2, availableParallelism())}`,
    `--test-timeout=${TEST_MS_MAX}`,
    "--test-reporter=spec",
    "--test-reporter-destination=stdout",
    `--test-reporter=${join(root, "setup", "test-tally.mjs")}`,
    `--test-reporter-destination=${tallyPath}`,
  ];
  try {
    const env = toolEnvironment(node, root);
    const code = await runToEnd(node, [...options, ...files], { cwd: root, env });
    return { code, tally: JSON.parse(readFileSync(tallyPath, "utf8")) };
  } finally {
    rmSync(dir, { recursive: true });
  }
}
