import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { figureNames, mixNames } from "../src/domain/comparison.ts";
import { TestServer, eventually } from "./harness.ts";

const path = "/api/v1/comparisons";
/** As short as can be: what is asked of the figures is that they are there and what they have to do with each other. */
const quick = { durationMs: 50, coldStarts: 1, connections: 2, starts: 2 };
const server = new TestServer();

const handler = (body: string) => ({ "index.mjs": `export const handler = ${body};` });

before(async () => {
  await server.start();
  await server.deploy("hello", handler("async (event) => ({ got: event })"));
  await server.deploy(
    "py",
    {
      "app.py": "def handler(event, context):\n    return {'path': event['rawPath']}\n",
    },
    { runtime: "python" },
  );
  await server.deploy("slow", handler("() => new Promise((r) => setTimeout(r, 20_000))"));
  const words = JSON.stringify("\u001b[2J=1+1 | <b>");
  await server.deploy("broken", handler(`() => { throw new Error(${words}); }`));
});

after(() => server.dispose());

async function start(body: Record<string, unknown>): Promise<any> {
  const { status, json, text } = await server.api("POST", path, { ...quick, ...body });
  assert.equal(status, 201, text);
  return json;
}

/** Comparisons take seconds, and on a machine that is busy many of them. */
async function ended(id: string): Promise<any> {
  const phases = new Set<string>();
  let percent = 0;
  for (;;) {
    const { json } = await server.api("GET", `${path}/${id}`);
    assert.ok(json.percent >= percent || json.state !== "running", "progress goes on");
    percent = json.percent;
    if (json.state !== "running") return { ...json, phases };
    phases.add(json.phase);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Sandboxes, processes that make load, sockets, revisions, records. */
async function assertNothingLeft(name: string): Promise<void> {
  await eventually("the end of every sandbox", async () => {
    const { gateway } = (await server.api("GET", "/api/v1/system")).json;
    return gateway.pools.length === 0;
  });
  assert.deepEqual(loadProcesses(), []);
  const run = join(server.dataDir, "run");
  assert.ok(!existsSync(join(run, "trial.sock")));
  const revisions = await server.api("GET", `/api/v1/functions/${name}/revisions`);
  assert.equal(revisions.json.items.length, 1);
  const records = await server.api("GET", `/api/v1/functions/${name}/invocations`);
  const logs = await server.api("GET", `/api/v1/functions/${name}/logs`);
  assert.deepEqual([records.json.items, logs.json.items], [[], []]);
}

/** Descendants of this server that run `load.ts`. */
function loadProcesses(): string[] {
  return readdirSync("/proc").filter((pid) => /^\d+$/.test(pid) && isOurLoad(pid));
}

function isOurLoad(pid: string): boolean {
  try {
    const command = readFileSync(`/proc/${pid}/cmdline`, "utf8");
    const environment = readFileSync(`/proc/${pid}/environ`, "utf8");
    return command.includes("comparisons/load.ts") && environment.includes(server.dataDir);
  } catch {
    return false; // it has ended
  }
}

function figureOf(driver: any, workload: string, name: string): any {
  return driver.figures.find((one: any) => one.workload === workload && one.name === name);
}

function assertWhole(driver: any, mixes: readonly string[]): void {
  assert.equal(driver.state, "measured", driver.reason);
  for (const name of figureNames) {
    const { values, median, min, max, missing } = figureOf(driver, "function", name);
    assert.equal(missing, null, `${driver.driver} ${name}: ${missing}`);
    assert.equal(values.length, 3);
    assert.ok(0 < min && min <= median && median <= max, `${driver.driver} ${name}: ${values}`);
  }
  for (const mix of mixes)
    for (const name of ["warmP50", "warmP99", "cpuPerCall"])
      assert.ok(figureOf(driver, mix, name).min > 0, `${driver.driver} ${mix} ${name}`);
  const median = (workload: string, name: string) => figureOf(driver, workload, name).median;
  assert.ok(median("function", "coldFresh") > median("function", "warmP50"));
  assert.ok(median("cpu", "cpuPerCall") > median("function", "cpuPerCall"));
  assert.ok(median("memory", "cpuPerCall") > median("function", "cpuPerCall"));
  assert.ok(median("function", "busyMemory") > 1);
  const { byBudget, byIdleMemory, reservedMiB, memoryBudgetMiB } = driver.density;
  assert.equal(byBudget, Math.floor(memoryBudgetMiB / reservedMiB));
  assert.ok(byIdleMemory > 0);
}

describe("a comparison of a whole server", { timeout: 600_000 }, () => {
  test("measures every figure on every driver that works here, names the others, and leaves nothing", async () => {
    const mixes = ["cpu", "memory"];
    const all = (await server.api("GET", "/api/v1/drivers")).json.items;
    // An emulated machine takes minutes for what is measured here in seconds.
    const isSlow = ({ versions }: any) => versions.accelerator === "emulation";
    const probes = all.filter((probe: any) => !isSlow(probe));
    const drivers = probes.map(({ name }: any) => name);
    const { id } = await start({ function: "hello", event: { a: 1 }, mixes, drivers });
    const view = await ended(id);
    assert.equal(view.state, "done", view.message);
    assert.deepEqual(
      view.drivers.map(({ driver }: any) => driver),
      probes.map(({ name }: any) => name),
    );
    for (const driver of view.drivers) {
      const probe = probes.find(({ name }: any) => name === driver.driver);
      if (probe.isAvailable) assertWhole(driver, mixes);
      else
        assert.deepEqual([driver.state, driver.reason], ["unavailable", probe.problems.join("; ")]);
    }
    assert.ok([...view.phases].some((phase) => /round \d of 3, process: /.test(phase as string)));
    assert.ok(view.machine.cores > 0 && view.machine.kernel.startsWith("linux"));
    await assertNothingLeft("hello");
  });

  test("measures Python, and a call by HTTP, as any other", async () => {
    const request = {
      path: "/a?b=c",
      headers: [
        ["host", "x"],
        ["connection", "close"],
      ],
    };
    const { id } = await start({ function: "py", drivers: ["process"], request });
    const view = await ended(id);
    assert.equal(view.state, "done", view.message);
    assertWhole(view.drivers[0], mixNames);
    await assertNothingLeft("py");
  });

  test("of a function that fails has failed, with its words as data", async () => {
    const { id } = await start({ function: "broken", drivers: ["process"] });
    const view = await ended(id);
    assert.equal(view.state, "failed");
    assert.match(view.message, /process: it answered 500: function_error: .*\[2J=1\+1 \| <b>/);
    assert.deepEqual([view.drivers[0].state, view.drivers[0].figures], ["failed", []]);
    const csv = await server.api("GET", `${path}/${id}/export`);
    assert.ok(csv.text.includes(",process,"));
    await assertNothingLeft("broken");
  });

  test("ends at once when it is cancelled in the middle of a call, and the next one may begin", async () => {
    const { id } = await start({ function: "slow", drivers: ["process"] });
    await eventually("a call under way", async () => {
      const { gateway } = (await server.api("GET", "/api/v1/system")).json;
      return gateway.pools.some(({ running }: any) => running > 0);
    });
    const other = await server.api("POST", path, { function: "hello" });
    assert.equal(other.status, 409);
    const { json } = await server.api("DELETE", `${path}/${id}`);
    assert.equal(json.state, "cancelled");
    assert.equal((await server.api("GET", `${path}/${id}`)).json.state, "cancelled");
    await assertNothingLeft("slow");
  });

  test("has failed when the control plane ended in the middle of it, and leaves nothing", async () => {
    const { id } = await start({ function: "slow", drivers: ["process"] });
    await eventually("a call under way", async () => {
      const { gateway } = (await server.api("GET", "/api/v1/system")).json;
      return gateway.pools.some(({ running }: any) => running > 0);
    });
    process.kill(roleOf("control"), "SIGKILL");
    const view = await eventually("its end", async () => {
      const answer = await server.api("GET", `${path}/${id}`).catch(() => null); // it starts again
      return answer?.status === 200 && answer.json.state !== "running" && answer.json;
    });
    assert.deepEqual(
      [view.state, view.message],
      ["failed", "the control plane ended while it ran"],
    );
    await assertNothingLeft("slow");
  });
});

function roleOf(name: string): number {
  const children = readFileSync(`/proc/${server.pid}/task/${server.pid}/children`, "utf8");
  const isIt = (pid: string) =>
    readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").includes(name);
  return Number(children.trim().split(" ").find(isIt));
}
