import assert from "node:assert/strict";
import { join } from "node:path";
import { after, afterEach, describe, test } from "node:test";
import Database from "better-sqlite3";
import type { FailPoint } from "../../src/fail-points.ts";
import { allowSlowness, eventually } from "../harness.ts";
import { RecoveringServer } from "./recovering-server.ts";
import { assertNothingLeft, pidOf } from "./traces.ts";

// That nobody saw the end of a run is known seven seconds after it began.
allowSlowness(3);

const minute = 60_000;
const server = new RecoveringServer();
const code = `export const handler = async (event, context) => {
  console.log("ran for " + event.time);
  await new Promise((resolve) => setTimeout(resolve, event.detail.lasts ?? 0));
  return 1;
};`;
/** Four seconds at most for a run, so that its end is known soon. */
const quick = { queueTimeoutMs: 500, initTimeoutMs: 2000, timeoutMs: 1500 };

const killAt = (point: FailPoint) => `${point}=kill`;

afterEach(() => server.killAll());
after(async () => {
  await server.begin();
  await server.stop();
  await assertNothingLeft(server);
  await server.dispose();
});

/** A function whose schedule came due a minute or two ago, while the server was not there; that stands still now. Its next moment is most of an hour away. */
async function missed(name: string, event?: unknown): Promise<string> {
  await server.begin();
  const due = Math.floor(Date.now() / minute - 1) * minute;
  const cron = `${new Date(due).getUTCMinutes()} * * * *`;
  const schedules = [{ name: "s", cron, ...(event !== undefined && { event }) }];
  await server.deploy(name, { "index.mjs": code }, { ...quick, schedules });
  await server.stop();
  const db = new Database(join(server.dataDir, "isola.db"));
  db.prepare("update functions set updated_at = ? where name = ?").run(due - 5 * minute, name);
  db.close();
  return new Date(due).toISOString();
}

async function lastRun(name: string): Promise<any> {
  const { json } = await server.api("GET", `/api/v1/functions/${name}/schedules`);
  return json.items[0].lastRun;
}

function ended(name: string): Promise<any> {
  return eventually("the end of the run", async () => {
    const last = await lastRun(name).catch(() => null);
    return last?.outcome ? last : null;
  });
}

/** How often the code has begun. */
async function runs(name: string): Promise<number> {
  const { json } = await server.api("GET", `/api/v1/functions/${name}/logs?limit=100`);
  return json.items.filter(({ text }: { text: string }) => text.startsWith("ran for ")).length;
}

/** Everything that was written has come to the store by then, and whatever would run again has. */
async function quiet(name: string): Promise<void> {
  await server.stop();
  await server.begin();
  await eventually("a look at what was missed", async () => (await lastRun(name)) !== null);
}

describe("a control plane that is killed around a due moment", () => {
  test("at schedule.due runs it once it is there again, once", async () => {
    const due = await missed("early");
    await server.begin(killAt("schedule.due"));
    const last = await ended("early");
    assert.deepEqual([last.dueAt, last.outcome], [due, "ok"]);
    await quiet("early");
    assert.equal(await runs("early"), 1);
    assert.deepEqual(await lastRun("early"), last);
  });

  test("at schedule.begun does not run it, and tells that it failed", async () => {
    const due = await missed("begun");
    await server.begin(killAt("schedule.begun"));
    const last = await ended("begun");
    assert.deepEqual([last.dueAt, last.outcome], [due, "platform_error"]);
    const { json } = await server.api("GET", "/api/v1/events?kind=schedule_failed");
    const [{ fields }] = json.items;
    assert.deepEqual([fields.due, fields.code], [due, "not_ready"]);
    await quiet("begun");
    assert.equal(await runs("begun"), 0);
    assert.deepEqual(await lastRun("begun"), last);
  });

  test("at schedule.ended does not run it again, and finds how it ended", async () => {
    const due = await missed("ended");
    await server.begin(killAt("schedule.ended"));
    const last = await ended("ended");
    assert.deepEqual([last.dueAt, last.outcome], [due, "ok"]);
    await quiet("ended");
    assert.equal(await runs("ended"), 1);
    assert.deepEqual(await lastRun("ended"), last);
  });

  test("while it runs lets it end, does not run it again, and finds how it ended", async () => {
    const due = await missed("going", { time: "x", detail: { lasts: 1200 } });
    await server.begin();
    await eventually("the run", async () => {
      const { text } = await server.api("GET", "/api/v1/system");
      return text.includes('"busy":1');
    });
    process.kill(pidOf(server, "control"), "SIGKILL");
    const last = await ended("going");
    assert.deepEqual([last.dueAt, last.outcome], [due, "ok"]);
    await quiet("going");
    assert.equal(await runs("going"), 1);
  });
});

test("a server that is killed while a scheduled run goes on does not run that again", async () => {
  await missed("all", { time: "x", detail: { lasts: 1400 } });
  await server.begin();
  await eventually("the run", async () => {
    const { text } = await server.api("GET", "/api/v1/system");
    return text.includes('"busy":1');
  });
  const { invocationId } = await lastRun("all");
  await server.killAll();
  await server.begin();
  const last = await ended("all");
  assert.deepEqual([last.invocationId, last.outcome], [invocationId, "platform_error"]);
  const { json } = await server.api("GET", "/api/v1/functions/all/invocations");
  assert.deepEqual(json.items, []);
});
