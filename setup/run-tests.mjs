import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "./pinned-node.mjs";
import { runToEnd, toolEnvironment } from "./processes.mjs";

const TEST_MS_MAX = 300_000;

/** Runs test files with node:test and counts. Resolves with the exit code and the tally of test-tally.mjs. */
export async function runTests(node, files, { stdio = "inherit" } = {}) {
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
    const { NODE_TEST_CONTEXT: _, ...env } = toolEnvironment(node, root);
    const code = await runToEnd(node, [...options, ...files], { cwd: root, env, stdio });
    return { code, tally: JSON.parse(readFileSync(tallyPath, "utf8")) };
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** What is wrong with a run beside its failures, one line each. */
export function problemsOf({ tally, leaks, isCi }) {
  return [
    ...(tally.tests === 0 ? ["No test ran."] : []),
    ...(isCi ? tally.skipped.map((skip) => `Skipped: ${skip}`) : []),
    ...leaks.map((leak) => `Left behind: ${leak}`),
  ];
}
