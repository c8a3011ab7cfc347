import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { openControlPlane } from "./control-plane.fixture.ts";

const files = { "index.mjs": "export const handler = () => 1" };
const nightly = { name: "nightly", cron: "0 3 * * *", timeZone: "Europe/Berlin" };
const off = { name: "off", cron: " 0  0 29 2 * ", event: { a: ["é"] }, enabled: false };
const hello = { name: "hello", runtime: "nodejs", code: { files } };
const path = "/api/v1/functions/hello";

async function open(t: Parameters<typeof openControlPlane>[0]) {
  const plane = await openControlPlane(t);
  const body = { ...hello, schedules: [nightly, off] };
  const made = await plane.call("POST", "/api/v1/functions", { body });
  assert.equal(made.statusCode, 201, made.body);
  return { ...plane, made: made.json() };
}

function eventOf(invoked: { bodyBase64: string } | undefined): unknown {
  return JSON.parse(Buffer.from(invoked?.bodyBase64 ?? "", "base64").toString());
}

describe("the setting schedules", () => {
  test("is kept with its defaults filled in, whole, and changed as a whole", async (t) => {
    const { call, made, gateway } = await open(t);
    const kept = [
      { ...nightly, enabled: true },
      { ...off, cron: "0 0 29 2 *", timeZone: "UTC" },
    ];
    assert.deepEqual(made.schedules, kept);
    assert.deepEqual(gateway.functions.get("hello")?.settings.schedules, []);
    const same = await call("PATCH", path, { body: { schedules: [nightly, off] } });
    assert.equal(same.json().liveRevision, 1);
    const other = await call("PATCH", path, { body: { memoryMiB: 256 } });
    assert.deepEqual(other.json().schedules, kept);
    const none = await call("PATCH", path, { body: { schedules: [] } });
    assert.deepEqual([none.json().schedules, none.json().liveRevision], [[], 3]);
    const back = await call("POST", `${path}/rollback`, { body: { revision: 1 } });
    assert.deepEqual(back.json().schedules, kept);
    const { items } = (await call("GET", `${path}/revisions`)).json();
    assert.deepEqual(items[2].schedules, kept);
  });

  test("is refused with the place of everything that is wrong, what was expected and what was given", async (t) => {
    const { call } = await openControlPlane(t);
    const schedules = [
      { name: "A", cron: "0 3 * * *" },
      { name: "b", cron: "61 * * * *", timeZone: "Mars" },
      { cron: "0 3 * * * *", every: "5m" },
      { name: "b", cron: 5, enabled: "no" },
    ];
    const { statusCode, body } = await call("POST", "/api/v1/functions", {
      body: { ...hello, schedules },
    });
    assert.equal(statusCode, 400);
    const { code, details } = JSON.parse(body).error;
    assert.equal(code, "invalid_request");
    assert.deepEqual(
      details.map((one: { path: string }) => one.path),
      [
        ...["schedules[0].name", "schedules[2].name", "schedules[2].every"],
        ...["schedules[3].cron", "schedules[3].enabled"],
        ...["schedules[1].cron", "schedules[1].timeZone", "schedules[2].cron"],
        "schedules[3].name",
      ],
    );
    assert.deepEqual(details[5], {
      path: "schedules[1].cron",
      expected: details[5].expected,
      given: '"61 * * * *"',
    });
    assert.match(details[5].expected, /^five fields, as 0 3 .*; the minute is 0 to 59, not 61$/);
  });
});

describe("the schedules of a function", () => {
  test("are listed with their words, their next moment and their last run", async (t) => {
    const { call, store } = await open(t);
    const { json } = await call("GET", `${path}/schedules`, { scope: "read" });
    const { items, nextCursor } = json();
    assert.equal(nextCursor, null);
    const { nextRunAt, ...rest } = items[0];
    const told = { description: "At 03:00", enabled: true, lastRun: null };
    assert.deepEqual(rest, { ...nightly, ...told });
    assert.match(nextRunAt, /T0[12]:00:00\.000Z$/);
    assert.ok(Date.parse(nextRunAt) > Date.now());
    assert.deepEqual([items[1].nextRunAt, items[1].enabled], [null, false]);
    const { id } = await store.getFunction("default", "hello");
    const key = { functionId: id, schedule: "nightly" };
    const run = { ...key, dueAt: 1000, startedAt: 1500, invocationId: "inv-7" };
    await store.beginScheduleRuns([run], Number.MAX_SAFE_INTEGER);
    const lastRun = async () => (await call("GET", `${path}/schedules`)).json().items[0].lastRun;
    const begun = {
      dueAt: "1970-01-01T00:00:01.000Z",
      startedAt: "1970-01-01T00:00:01.500Z",
      invocationId: "inv-7",
      outcome: null,
    };
    assert.deepEqual(await lastRun(), begun);
    const ended = [{ ...key, dueAt: 1000, outcome: "ok" as const }];
    await store.noteSchedules({ ended, passed: [] });
    assert.deepEqual(await lastRun(), { ...begun, outcome: "ok" });
  });

  test("are none where the setting names none, and not found where there is no function", async (t) => {
    const { call } = await openControlPlane(t);
    await call("POST", "/api/v1/functions", { body: hello });
    assert.deepEqual((await call("GET", `${path}/schedules`)).json().items, []);
    const missing = await call("GET", "/api/v1/functions/other/schedules");
    assert.equal(missing.statusCode, 404);
  });
});

describe("a run by hand", () => {
  test("answers as an invocation with the event of the schedule, enabled or not, and is no last run", async (t) => {
    const { call, gateway } = await open(t);
    const answer = await call("POST", `${path}/schedules/off/run`, { scope: "invoke" });
    assert.deepEqual([answer.statusCode, answer.json().outcome], [200, "ok"]);
    const { schedule, kind, id } = gateway.invoked[0] ?? {};
    assert.deepEqual([schedule, kind, id], ["off", "event", undefined]);
    assert.deepEqual(eventOf(gateway.invoked[0]), { a: ["é"] });
    const before = Math.floor(Date.now() / 1000) * 1000;
    await call("POST", `${path}/schedules/nightly/run`);
    const event = eventOf(gateway.invoked[1]) as { time: string };
    assert.ok(Date.parse(event.time) >= before);
    const { items } = (await call("GET", `${path}/schedules`)).json();
    assert.deepEqual([items[0].lastRun, items[1].lastRun], [null, null]);
  });

  test("of a schedule that is not there says which are, and needs a key that may invoke", async (t) => {
    const { call } = await open(t);
    const answer = await call("POST", `${path}/schedules/hourly/run`);
    assert.equal(answer.statusCode, 404);
    assert.match(answer.json().error.message, /the function hello has the schedules nightly, off$/);
    const denied = await call("POST", `${path}/schedules/off/run`, { scope: "read" });
    assert.equal(denied.statusCode, 403);
    assert.equal((await call("GET", `${path}/schedules`, { scope: "invoke" })).statusCode, 403);
  });
});
