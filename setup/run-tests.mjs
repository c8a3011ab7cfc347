import { chmodSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join, relative } from "node:path";
import { root } from "./pinned-node.mjs";
import { runToEnd, toolEnvironment } from "./processes.mjs";

const TEST_MS_MAX = 900_000;

/**
 * Runs test files with node:test and counts. They get a temporary folder of their own, and the variables `env`. Resolves with the exit code, the tally of test-tally.mjs, and the names of what they
 * left in that folder.
 */
export async function runTests(node, files, { stdio = "inherit", env: more = {} } = {}) {
  const dir = mkdtempSync(join(tmpdir(), "isola-run-"));
  // Users of sandboxes pass it, as they pass the machine's own.
  chmodSync(dir, 0o711);
  const temporary = join(dir, "tmp");
  mkdirSync(temporary);
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
    const code = await runToEnd(node, [...options, ...files], {
      cwd: root,
      // Programs such as npm keep what they have compiled in the temporary folder.
      env: { ...env, TMPDIR: temporary, NODE_DISABLE_COMPILE_CACHE: "1", ...more },
      stdio,
    });
    const tally = JSON.parse(readFileSync(tallyPath, "utf8"));
    return { code, tally, files: readdirSync(temporary).filter((name) => !name.startsWith(".")) };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Where the time of a run went, one line: the files that took longest. */
export function slowestOf({ tally }) {
  const each = tally.slowest.map(
    ({ file, ms }) => `${relative(root, file)} ${(ms / 1000).toFixed(0)} s`,
  );
  return `The longest files: ${each.join(", ")}`;
}

/** What is wrong with a run beside its failures, one line each. */
export function problemsOf({ tally, leaks, isCi }) {
  return [
    ...(tally.tests === 0 ? ["No test ran."] : []),
    ...(isCi ? tally.skipped.map((skip) => `Skipped: ${skip}`) : []),
    ...leaks.map((leak) => `Left behind: ${leak}`),
  ];
}
