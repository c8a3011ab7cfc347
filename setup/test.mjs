import { footprint, leaksSince } from "./leaks.mjs";
import { root } from "./pinned-node.mjs";
import { prepare, runScript, say } from "./prepare.mjs";
import { problemsOf, runTests } from "./run-tests.mjs";
import { sourceFiles } from "./source-files.mjs";

// npm test [-- files]: every *.test.ts. With CI=true a skipped test is a failure: a machine for CI has what the tests need.
await runScript(async (args) => {
  const node = await prepare();
  const files = args.length > 0 ? args : sourceFiles(root, [".test.ts"]);
  if (files.length === 0) throw new Error("There are no tests.");
  const before = footprint();
  const { code, tally, files: left } = await runTests(node, files);
  const leaks = [...(await leaksSince(before)), ...left.map((name) => `temporary file ${name}`)];
  const problems = problemsOf({ tally, leaks, isCi: process.env.CI === "true" });
  for (const problem of problems) say(problem);
  return code === 0 && problems.length > 0 ? 1 : code;
});
