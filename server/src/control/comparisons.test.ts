import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { type TestContext, describe, test } from "node:test";
import { comparisonRow } from "../comparisons/comparison-row.fixture.ts";
import { openControlPlane } from "./control-plane.fixture.ts";

const path = "/api/v1/comparisons";
const files = { "index.mjs": "export const handler = () => 1" };
const hello = { name: "hello", runtime: "nodejs26", driver: "process", code: { files } };

async function openWithFunction(t: TestContext, settings: Record<string, unknown> = {}) {
  const plane = await openControlPlane(t);
  const body = { ...hello, ...settings };
  assert.equal((await plane.call("POST", "/api/v1/functions", { body })).statusCode, 201);
  const start = (more: Record<string, unknown> = {}) =>
    plane.call("POST", path, { body: { function: "hello", ...more } });
  return { ...plane, start };
}

describe("a comparison through the API", () => {
  test("begins, is the only one, is cancelled once and then removed", async (t) => {
    const { call, start } = await openWithFunction(t);
    const started = await start({ drivers: ["process"], event: null });
    assert.equal(started.statusCode, 201);
    const { id, state, parameters, percent } = started.json();
    assert.equal(started.headers.location, `${path}/${id}`);
    assert.deepEqual([state, percent, parameters.call], ["running", 0, "event"]);
    const second = await start();
    assert.equal(second.statusCode, 409);
    assert.match(second.json().error.message, new RegExp(`${id} of hello is under way`));
    const [listed] = (await call("GET", `${path}?function=hello`)).json().items;
    assert.deepEqual([listed.id, listed.state], [id, "running"]);
    assert.deepEqual((await call("GET", `${path}?function=other`)).json().items, []);
    assert.equal((await call("DELETE", `${path}/${id}`)).json().state, "cancelled");
    const cancelled = (await call("GET", `${path}/${id}`)).json();
    assert.deepEqual([cancelled.state, cancelled.phase], ["cancelled", null]);
    assert.notEqual(cancelled.endedAt, null);
    assert.equal((await call("DELETE", `${path}/${id}`)).json().state, "removed");
    for (const method of ["GET", "DELETE"])
      assert.equal((await call(method, `${path}/${id}`)).statusCode, 404);
    assert.equal((await start()).statusCode, 201);
  });

  test("that is asked for twice under one key begins once", async (t) => {
    const { call } = await openWithFunction(t);
    const headers = { "idempotency-key": "one" };
    const body = { function: "hello" };
    const first = await call("POST", path, { body, headers });
    const again = await call("POST", path, { body, headers });
    assert.deepEqual([again.statusCode, again.json()], [201, first.json()]);
  });

  test("lists a driver that cannot run here with the reason, and measures the others", async (t) => {
    const { start } = await openWithFunction(t);
    const { drivers } = (await start({ drivers: ["gvisor", "process", "gvisor"] })).json();
    assert.deepEqual(
      drivers.map(({ driver, state }: any) => [driver, state]),
      [
        ["gvisor", "unavailable"],
        ["process", "waiting"],
      ],
    );
    assert.equal(drivers[0].reason, "this server does not have it");
  });

  test("is refused where no driver can run the function, with the reason of each", async (t) => {
    const { start, gateway } = await openWithFunction(t);
    gateway.status.drivers[0] = { ...gateway.status.drivers[0]!, isAvailable: false };
    gateway.status.drivers[0].problems = ["bubblewrap is missing"];
    const { statusCode, body } = await start({ drivers: ["process", "docker"] });
    assert.equal(statusCode, 409);
    assert.match(body, /process: bubblewrap is missing; docker: this server does not have it/);
    gateway.status.drivers[0].isAvailable = true;
    gateway.status.memoryBudgetMiB = 100;
    assert.match(
      (await start({ drivers: ["process"] })).body,
      /128 MiB, and memoryBudgetMiB is 100/,
    );
  });

  test("fails with the gateway, and says so", async (t) => {
    const { call, start, gateway } = await openWithFunction(t);
    const { id } = (await start({ drivers: ["process"], mixes: [] })).json();
    await gateway.until(() => gateway.loseTrials !== undefined);
    gateway.loseTrials?.();
    let view = (await call("GET", `${path}/${id}`)).json();
    while (view.state === "running") {
      await delay(5); // until the process that makes the load has ended
      view = (await call("GET", `${path}/${id}`)).json();
    }
    assert.deepEqual([view.state, view.message], ["failed", "the gateway went away"]);
  });

  test("of what is not there, or makes no sense, is refused with what was expected", async (t) => {
    const { start } = await openWithFunction(t);
    const cases: [Record<string, unknown>, number, RegExp][] = [
      [{ function: "nobody" }, 404, /nobody/],
      [{ function: "../x" }, 400, /function/],
      [{ drivers: [] }, 400, /drivers/],
      [{ drivers: ["vm\u0000"] }, 400, /drivers/],
      [{ mixes: ["sleep"] }, 400, /mixes/],
      [{ repeats: 2 }, 400, /repeats/],
      [{ durationMs: 60_000, repeats: 20 }, 400, /at most 30 minutes/],
      [{ event: 1, request: {} }, 400, /either event or request/],
      [{ request: { method: "HEAD" } }, 400, /another method than HEAD/],
      [{ request: { headers: [["a", "b\r\nc: d"]] } }, 400, /headers/],
    ];
    for (const [more, status, words] of cases) {
      const { statusCode, body } = await start(more);
      assert.equal(statusCode, status, body);
      assert.match(body, words);
    }
  });

  test("is downloaded as a table under a name of its own", async (t) => {
    const { call, store } = await openWithFunction(t);
    await store.addComparison(comparisonRow());
    const csv = await call("GET", `${path}/cmp-1/export`);
    assert.match(String(csv.headers["content-type"]), /^text\/csv/);
    assert.equal(csv.headers["content-disposition"], 'attachment; filename="cmp-1.csv"');
    assert.match(csv.body, /^comparison,function,/);
    const page = await call("GET", `${path}/cmp-1/export?format=markdown`);
    assert.match(String(page.headers["content-type"]), /^text\/markdown/);
    assert.match(page.body, /^# hello, revision 3/);
    assert.equal((await call("GET", `${path}/cmp-1/export?format=pdf`)).statusCode, 400);
    assert.equal((await call("GET", `${path}/none/export`)).statusCode, 404);
    assert.equal((await call("GET", `${path}/cmp-1`)).json().drivers[0].figures[0].median, 50);
  });
});
