import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import type { Driver, RuntimeSpec } from "../../server/src/drivers/driver.ts";
import { spreadOf } from "../../server/src/comparisons/statistics.ts";
import { short, table } from "../table.ts";
import { type FunctionName, functions } from "./functions.ts";
import { measureOne, startNeighbour, type Sample, type Subject } from "./measure.ts";
import { dockerSettings } from "../../server/src/drivers/testing/docker-settings.ts";

const usage = `Usage: node bench/runtime/main.ts [options]

Sandboxes by themselves, without a server: time to HELLO, first call from a blank one, CPU per
warm call inside it, private memory. Rows are min / median.

  --count <n>       sandboxes per row (default 10)
  --calls <n>       warm calls per sandbox (default 4000)
  --only <text>     only functions whose name has this in it
  --against <root>  another checkout, measured in turn with this one
`;

const MiB = 2 ** 20;
const columns: [string, (sample: Sample) => number][] = [
  ["hello ms", (sample) => sample.helloMs],
  ["ready ms", (sample) => sample.readyMs],
  ["first call ms", (sample) => sample.firstCallMs],
  ["us/call alone", (sample) => sample.cpuMicrosAlone],
  ["us/call of 32", (sample) => sample.cpuMicrosBatched],
  ["blank MiB", (sample) => sample.blankBytes / MiB],
  ["idle MiB", (sample) => sample.idleBytes / MiB],
  ["used MiB", (sample) => sample.usedBytes / MiB],
  ["processes", (sample) => sample.processes],
];

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "10" },
    calls: { type: "string", default: "4000" },
    only: { type: "string", default: "" },
    against: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  process.stdout.write(usage);
  process.exit(0);
}

/** The driver and the runtimes of a checkout, by its own code. */
async function subjectOf(name: string, root: string, stateDir: string): Promise<Subject> {
  const load = (path: string) => import(pathToFileURL(join(root, "server/src", path)).href);
  const { lazyDriver } = await load("keeper/testing/lazy-driver.ts");
  const { findRuntimes } = await load("drivers/runtimes.ts");
  const nodeId = `bench-${process.pid}`;
  const settings = { nodeId, stateDir, acceptNoIsolation: false, ...dockerSettings };
  const driver: Driver = lazyDriver("process", settings, name);
  const runtimes: RuntimeSpec[] = await findRuntimes({ root, python: null });
  return { name, driver, runtimes };
}

const stateDir = mkdtempSync(join(tmpdir(), "isola-bench-"));
const own = await subjectOf("this", resolve(import.meta.dirname, "../.."), stateDir);
const subjects = [own];
if (values.against !== undefined)
  subjects.unshift(await subjectOf("against", resolve(values.against), stateDir));
const samples = new Map<string, Sample[]>();
const names = (Object.keys(functions) as FunctionName[]).filter((name) =>
  name.includes(values.only),
);
try {
  for (const subject of subjects) for (const name of names) await startNeighbour(subject, name);
  for (let i = 0; i < Number(values.count); i++)
    for (const name of names)
      for (const subject of i % 2 === 0 ? subjects : subjects.toReversed()) {
        const row = `${name}, ${subject.name}`;
        const sample = await measureOne(subject, name, Number(values.calls));
        samples.set(row, [...(samples.get(row) ?? []), sample]);
      }
} finally {
  for (const { driver } of subjects) await driver.close();
  rmSync(stateDir, { recursive: true, force: true });
}
const rows = [...samples].toSorted().map(([name, all]) => [
  name,
  ...columns.map(([, pick]) => {
    const { min, median } = spreadOf(all.map(pick));
    return `${short(min)} / ${short(median)}`;
  }),
]);
process.stdout.write(`${table(["", ...columns.map(([title]) => title)], rows)}\n`);
