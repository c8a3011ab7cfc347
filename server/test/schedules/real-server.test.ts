import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { TestServer, eventually } from "../harness.ts";

const server = new TestServer();
const minute = 60_000;

before(() => server.start());
after(() => server.dispose());

const schedulesOf = async (name: string) =>
  (await server.api("GET", `/api/v1/functions/${name}/schedules`)).json.items;

test("schedules of every minute are run at the minute, one that fails is told, one that is off is not run", async () => {
  const each = { name: "each", cron: "* * * * *" };
  const off = { name: "off", cron: "* * * * *", enabled: false };
  const good = `export const handler = (event) => { console.log("for " + event.time); return event.source; };`;
  const bad = `export const handler = () => { throw new Error("no luck"); };`;
  await server.deploy("good", { "index.mjs": good }, { schedules: [each, off] });
  await server.deploy("bad", { "index.mjs": bad }, { schedules: [{ ...each, event: null }] });
  const [{ nextRunAt }] = await schedulesOf("good");
  assert.equal(Date.parse(nextRunAt) % minute, 0);
  await delay(Math.max(0, Date.parse(nextRunAt) - Date.now()));

  const [ran, never] = await eventually("a run with its end", async () => {
    const items = await schedulesOf("good");
    return items[0].lastRun?.outcome ? items : null;
  });
  assert.deepEqual([ran.lastRun.dueAt, ran.lastRun.outcome], [nextRunAt, "ok"]);
  assert.equal(Date.parse(ran.nextRunAt), Date.parse(nextRunAt) + minute);
  assert.deepEqual([never.lastRun, never.nextRunAt], [null, null]);

  const { invocationId } = ran.lastRun;
  const record = await eventually("its record", async () => {
    const { status, json } = await server.api("GET", `/api/v1/invocations/${invocationId}`);
    return status === 200 && json.logs.length > 0 ? json : null;
  });
  assert.deepEqual([record.path, record.method, record.outcome], ["schedule:each", "", "ok"]);
  const time = nextRunAt.replace(".000Z", "Z");
  assert.deepEqual(
    record.logs.map((line: { text: string }) => line.text),
    [`for ${time}`],
  );

  const failed = await eventually("the event of the failure", async () => {
    const { json } = await server.api("GET", "/api/v1/events?kind=schedule_failed");
    return json.items[0];
  });
  assert.deepEqual([failed.functionName, failed.severity], ["bad", "error"]);
  const { schedule, due, outcome, code } = failed.fields;
  assert.deepEqual([schedule, due, outcome], ["each", nextRunAt, "function_error"]);
  assert.equal(code, "function_error");
  assert.match(
    failed.message,
    /^the run of each of bad that was due at .* failed \(function_error\)/,
  );

  const { json } = await server.api("GET", "/api/v1/functions/good/invocations");
  assert.equal(json.items.length, 1);
  await server.api("PATCH", "/api/v1/functions/good", { schedules: [{ ...each, enabled: false }] });
  const [disabled] = await schedulesOf("good");
  assert.deepEqual([disabled.nextRunAt, disabled.lastRun], [null, ran.lastRun]);
});
