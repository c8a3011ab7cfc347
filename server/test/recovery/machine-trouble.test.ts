import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { Agent } from "node:http";
import { type Socket, connect } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type TestContext, describe, test } from "node:test";
import { findCgroups } from "../../src/drivers/cgroups/find-cgroups.ts";
import { eventually } from "../harness.ts";
import { get, textOf } from "./closed-loop.ts";
import { RecoveringServer, codeOf } from "./recovering-server.ts";
import { nodeIdOf, pidOf, serverPids, strayFiles } from "./traces.ts";

const fns = "/api/v1/functions";
const hello = { revision: 1, tag: "hello", gen: "gen-0" };
const env = { ISOLA_BLANK_NODEJS: "1", ISOLA_BLANK_PYTHON: "0" };
const umount = "umount";
/** Mounting needs root: `sudo npm test`. */
const mounts = {
  skip: process.getuid?.() === 0 ? false : "mounting a small disk needs root: sudo npm test",
};

/** A server whose data folder is a disk of 24 MiB. */
async function onSmallDisk(t: TestContext): Promise<RecoveringServer> {
  const server = new RecoveringServer(env);
  run("mount", "-t", "tmpfs", "-o", "size=24m", "isola-test", server.dataDir);
  t.after(async () => {
    const node = nodeIdOf(server);
    await server.killAll();
    await removeGroups(node);
    await unmounted(server);
    await server.dispose();
  });
  await server.begin();
  await server.deploy("hello", codeOf("hello").files, { env: { GEN: "gen-0" } });
  return server;
}

/** No later life of the server will do it. */
async function removeGroups(node: string): Promise<void> {
  const left = await findCgroups().tree?.leftovers((name) => name.startsWith(`isola.${node}.`));
  for (const { cgroup } of left ?? []) {
    cgroup.killAll(true);
    await eventually("an empty group", async () => cgroup.isEmpty());
    cgroup.remove();
  }
}

function run(program: string, ...args: string[]): void {
  execFileSync(program, args);
}

/** Processes that were killed let go of their files a moment later. */
async function unmounted(server: RecoveringServer): Promise<void> {
  await eventually("the end of the mount", async () => {
    return spawnSync(umount, [server.dataDir]).status === 0;
  });
}

const ballastOf = (server: RecoveringServer) => join(server.dataDir, "ballast");

function fill(server: RecoveringServer): void {
  for (const bytes of [1 << 20, 4096]) {
    try {
      for (;;) appendFileSync(ballastOf(server), Buffer.alloc(bytes));
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, "ENOSPC");
    }
  }
}

function free(server: RecoveringServer): void {
  rmSync(ballastOf(server));
}

async function idsOfRecords(server: RecoveringServer): Promise<Set<string>> {
  const { json } = await server.api("GET", "/api/v1/invocations?limit=100");
  return new Set(json.items.map(({ id }: { id: string }) => id));
}

describe("a full disk", mounts, () => {
  test("refuses deploys with 503 and leaves nothing half done; calls go on and their records come later", async (t) => {
    const server = await onSmallDisk(t);
    const before = await server.api("GET", `${fns}/hello`);
    fill(server);
    const put = await server.api("PUT", `${fns}/hello/code`, codeOf("second", 100_000));
    assert.deepEqual([put.status, put.json.error.code], [503, "not_ready"]);
    assert.match(put.json.error.message, /disk is full/);
    const body = { name: "other", runtime: "nodejs", code: codeOf("other", 100_000) };
    assert.equal((await server.api("POST", fns, body)).status, 503);
    const after = await server.api("GET", `${fns}/hello`);
    assert.deepEqual(after.json, before.json);
    const ids: string[] = [];
    for (let turn = 0; turn < 50; turn += 1) {
      const answer = await server.call("/hello");
      assert.deepEqual(answer.json, hello);
      ids.push(answer.headers.get("isola-request-id") as string);
    }
    free(server);
    await eventually("every record", async () => {
      const stored = await idsOfRecords(server);
      return ids.every((id) => stored.has(id));
    });
    const system = await server.api("GET", "/api/v1/system");
    assert.equal(system.json.gateway.recordsLost, 0);
    const again = await server.api("PUT", `${fns}/hello/code`, codeOf("second", 100_000));
    assert.equal(again.status, 200);
    await server.assertTidy();
  });

  test("keeps log lines within bounds while calls go on, counts what is lost, and tells it once there is room", async (t) => {
    const server = await onSmallDisk(t);
    const writes = "for (let at = 0; at < 4; at += 1) console.log('\\x01'.repeat(240_000));";
    const code = `export const handler = async () => { ${writes} return "written"; };`;
    await server.deploy("writer", { "index.mjs": code });
    fill(server);
    const lost = async () => (await server.api("GET", "/api/v1/system")).json.gateway.logsLost;
    await eventually("more than is kept", async () => {
      for (let call = 0; call < 4; call += 1)
        assert.deepEqual((await server.call("/writer")).text, "written");
      return (await lost()) > 0;
    });
    assert.deepEqual((await server.call("/hello")).json, hello);
    const before = await server.api("GET", "/api/v1/events?kind=records_lost");
    assert.deepEqual(before.json.items, []);
    free(server);
    const told = await eventually("the event", async () => {
      const { json } = await server.api("GET", "/api/v1/events?kind=records_lost");
      return json.items[0];
    });
    assert.equal(told.severity, "error");
    assert.ok(told.fields.logs > 0 && told.fields.invocations === 0, told.message);
    const last = (await server.call("/writer")).headers.get("isola-request-id") as string;
    await eventually("lines of a call after that", async () => {
      const { json } = await server.api("GET", `/api/v1/logs?invocation=${last}`);
      return json.items.length === 4;
    });
  });

  test("never mixes the revisions of changes that fit and of those that do not", async (t) => {
    const server = await onSmallDisk(t);
    fill(server);
    let gen = "gen-0";
    let revision = 1;
    let refused = 0;
    for (let turn = 1; refused < 3; turn += 1) {
      const wanted = `gen-${turn}`;
      const env = { GEN: wanted, PAD: "x".repeat(3000) };
      const answer = await server.api("PATCH", `${fns}/hello`, { env });
      if (answer.status === 200) [gen, revision] = [wanted, revision + 1];
      else refused += 1;
      if (answer.status !== 200)
        assert.deepEqual([answer.status, answer.json.error.code], [503, "not_ready"]);
      assert.deepEqual(await server.versionOf("hello"), { tag: "hello", gen, revision });
    }
    await server.killAll();
    free(server);
    await server.begin();
    assert.deepEqual(await server.versionOf("hello"), { tag: "hello", gen, revision });
    await server.assertTidy();
  });

  test("lets a server that was killed start again and serve what is deployed", async (t) => {
    const server = await onSmallDisk(t);
    fill(server);
    await server.killAll();
    await server.begin();
    assert.deepEqual(await server.versionOf("hello"), hello);
    await server.killAll();
    free(server);
    await server.begin();
    assert.deepEqual(await server.versionOf("hello"), hello);
    await server.assertTidy();
  });

  test("at the start after a clean stop, which has taken the store's index away, is told in one line", async (t) => {
    const server = await onSmallDisk(t);
    await server.stop();
    fill(server);
    await assertToldInOneLine(server, /disk is full/);
    free(server);
    await server.begin();
    assert.deepEqual(await server.versionOf("hello"), hello);
    await server.assertTidy();
  });

  test("at the first start of a data folder is told in one line", async (t) => {
    const server = new RecoveringServer(env);
    run("mount", "-t", "tmpfs", "-o", "size=24m", "isola-test", server.dataDir);
    t.after(async () => {
      await unmounted(server);
      await server.dispose();
    });
    fill(server);
    await assertToldInOneLine(server, /disk is full|no space left/i);
  });
});

async function assertToldInOneLine(server: RecoveringServer, reason: RegExp): Promise<void> {
  await assert.rejects(server.start(), (error: Error) => {
    const lines = error.message.trim().split("\n").slice(1);
    assert.equal(lines.filter((line) => line.startsWith("isola: ")).length, 1, error.message);
    assert.match(lines.at(-1) ?? "", reason);
    return !/\n {4}at /.test(error.message);
  });
}

describe("a data folder that cannot be written", () => {
  test("is told in one line at the start", mounts, async (t) => {
    const server = await onSmallDisk(t);
    await server.stop();
    run("mount", "-o", "remount,ro", server.dataDir);
    await assertToldInOneLine(server, /data folder .* cannot be used: .*read-only/i);
    run("mount", "-o", "remount,rw", server.dataDir);
    await server.begin();
    assert.deepEqual(await server.versionOf("hello"), hello);
  });

  test("while the server runs refuses deploys with 503 and the reason", async (t) => {
    const server = new RecoveringServer(env);
    t.after(() => server.dispose());
    await server.begin("artifact.written=error:EROFS@2");
    await server.deploy("hello", codeOf("hello").files, { env: { GEN: "gen-0" } });
    const put = await server.api("PUT", `${fns}/hello/code`, codeOf("second"));
    assert.deepEqual([put.status, put.json.error.code], [503, "not_ready"]);
    assert.match(put.json.error.message, /read-only/);
    assert.deepEqual(await server.versionOf("hello"), hello);
    await server.assertTidy();
  });
});

describe("the gateway's limit of open files", () => {
  test("costs new connections and starts, not the connections there are; it spins on nothing and recovers", async (t) => {
    const server = new RecoveringServer(env);
    t.after(() => server.dispose());
    await server.begin();
    await server.deploy("hello", codeOf("hello").files, { env: { GEN: "gen-0" } });
    await server.deploy("cold", codeOf("cold").files, { env: { GEN: "gen-0" } });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    t.after(() => agent.destroy());
    const call = async (name: string) => {
      const response = await get(`${server.gatewayUrl}/${name}`, agent);
      return { status: response.statusCode, text: await textOf(response) };
    };
    assert.equal((await call("hello")).status, 200);
    const pid = pidOf(server, "gateway");
    const open = readdirSync(`/proc/${pid}/fd`).length;
    run("prlimit", "--pid", String(pid), `--nofile=${open + 8}:`);
    const crowd = await connectMany(server.gatewayUrl, 100);
    t.after(() => {
      for (const socket of crowd) socket.destroy();
    });
    await eventually("connections that are refused", async () =>
      crowd.some((socket) => socket.destroyed),
    );
    assert.equal((await call("hello")).status, 200);
    const refused = await call("cold");
    assert.equal(refused.status, 503);
    const { code, message } = JSON.parse(refused.text).error;
    assert.equal(code, "sandbox_start_failed");
    assert.match(message, /too many files are open|limit of open files/);
    assert.ok(!message.includes(server.dataDir), message);
    const ticks = cpuTicksOf(pid);
    await delay(1000);
    assert.ok(cpuTicksOf(pid) - ticks < 50, "the gateway spins");
    for (const socket of crowd) socket.destroy();
    await eventually("room for new connections", () =>
      server.call("/cold").then(
        ({ status }) => status === 200,
        () => false,
      ),
    );
    assert.equal(pidOf(server, "gateway"), pid, "the same gateway");
    assert.deepEqual(await server.versionOf("hello"), hello);
  });
});

async function connectMany(url: string, count: number): Promise<Socket[]> {
  const { hostname, port } = new URL(url);
  const sockets = Array.from({ length: count }, () => connect(Number(port), hostname));
  for (const socket of sockets) socket.resume().on("error", () => {}); // being refused is what is tested
  await Promise.all(sockets.map((socket) => once(socket, "connect")));
  return sockets;
}

/** Of 10 ms each: what the process has used so far. */
function cpuTicksOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11]) + Number(fields[12]);
}

describe("a server that is stopped for a while and goes on", () => {
  test("answers every call, late or with its timeout, keeps its roles, and leaks no sandbox", async (t) => {
    const server = new RecoveringServer(env);
    t.after(() => server.dispose());
    await server.begin();
    const sleep = (ms: number) =>
      `export const handler = () => new Promise((resolve) => setTimeout(resolve, ${ms}, 'awake'));`;
    await server.deploy("short", { "index.mjs": sleep(3000) }, { timeoutMs: 120_000 });
    await server.deploy("long", { "index.mjs": sleep(60_000) }, { timeoutMs: 4000 });
    const calls = [server.call("/short"), server.call("/long")];
    await eventually("calls under way", async () => {
      const { json } = await server.api("GET", "/api/v1/system");
      return json.gateway?.pools.every(({ running }: { running: number }) => running === 1);
    });
    const pids = serverPids(server);
    for (const pid of pids) process.kill(pid, "SIGSTOP");
    await delay(30_000); // beyond both, and beyond what the keeper allows a silent gateway
    for (const pid of pids) process.kill(pid, "SIGCONT");
    const [short, long] = await Promise.all(calls);
    assert.deepEqual([short?.status, short?.text], [200, "awake"]);
    assert.deepEqual([long?.status, long?.json.error.code], [504, "function_timeout"]);
    assert.deepEqual(serverPids(server), pids, "no role was started again");
    await eventually("sandboxes that are accounted for", async () => {
      const { json } = await server.api("GET", "/api/v1/system");
      const { pools, blankPools, memoryReservedMiB } = json.gateway;
      const each = pools.flatMap(({ sandboxes }: { sandboxes: object }) =>
        Object.values(sandboxes),
      );
      const blanks = blankPools.map(({ ready, starting }: any) => ready + starting);
      const count = [...each, ...blanks].reduce((sum: number, one: number) => sum + one, 0);
      return memoryReservedMiB === count * 128;
    });
    assert.equal((await server.call("/short")).status, 200);
    assert.equal(await server.stop(), 0);
    assert.deepEqual(strayFiles(server), []);
  });
});
