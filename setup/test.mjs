import { ensureChromium } from "./chromium.mjs";
import { ensureConsole } from "./console.mjs";
import { ensureDocker } from "./docker.mjs";
import { engineFootprint, footprint, leaksSince } from "./leaks.mjs";
import { root } from "./pinned-node.mjs";
import { prepare, runScript, say } from "./prepare.mjs";
import { ensureOperationTools } from "./operation-tools.mjs";
import { ensurePrometheus } from "./prometheus.mjs";
import { problemsOf, runTests, slowestOf } from "./run-tests.mjs";
import { ensureShells } from "./shells.mjs";
import { sourceFiles } from "./source-files.mjs";
import { ensureVm } from "./vm.mjs";

// npm test [-- files]: every *.test.ts. With CI=true a skipped test is a failure: a machine for CI has what the tests need.
await runScript(async (args) => {
  const node = await prepare();
  const files = args.length > 0 ? args : sourceFiles(root, [".test.ts"]);
  if (files.length === 0) throw new Error("There are no tests.");
  await ensureConsole(node, say);
  process.env.CHROMIUM_PATH ??= (await ensureChromium(say)) ?? "";
  await ensurePrometheus(say);
  await ensureOperationTools(say);
  await ensureShells(say);
  const before = footprint();
  const { code, tally, files: left, inEngine } = await withDocker(node, files);
  const leaks = [
    ...(await leaksSince(before)),
    ...inEngine,
    ...left.map((name) => `temporary file ${name}`),
  ];
  if (args.length === 0) say(slowestOf({ tally }));
  const problems = problemsOf({ tally, leaks, isCi: process.env.CI === "true" });
  for (const problem of problems) say(problem);
  return code === 0 && problems.length > 0 ? 1 : code;
});

/** Runs the tests with guests of virtual machines, and while a Docker Engine answers at their DOCKER_HOST, where one can be had; `inEngine` is what they left in it. */
async function withDocker(node, files) {
  const vm = await ensureVm(node, say);
  const vmEnv = vm === null ? {} : { VM_GUEST_FOLDER: vm };
  const docker = await ensureDocker(node, say);
  if (docker === null) return { ...(await runTests(node, files, { env: vmEnv })), inEngine: [] };
  const end = () => void docker.close().finally(() => process.exit(130));
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, end);
  try {
    const before = await engineFootprint(docker.host);
    const ran = await runTests(node, files, { env: { DOCKER_HOST: docker.host, ...vmEnv } });
    const after = await engineFootprint(docker.host);
    return { ...ran, inEngine: [...after].filter((line) => !before.has(line)) };
  } finally {
    await docker.close();
  }
}
