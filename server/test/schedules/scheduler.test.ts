import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { IsolaError } from "../../src/errors.ts";
import { ScheduleBench, every, hour, minute } from "./schedule-bench.ts";

const noon = "2026-11-30T12:00:00Z";

async function lastOf(bench: ScheduleBench, name = "s") {
  const rows = await bench.store.listScheduleRuns();
  return rows.find(({ schedule }) => schedule === name)?.last ?? null;
}

describe("a schedule", () => {
  test("is run when it is due, with an event that says for when, and its end is kept", async (t) => {
    const bench = await ScheduleBench.open(t, noon);
    await bench.create("f", [every("*/5 * * * *")]);
    await bench.pass(11 * minute);
    assert.deepEqual(bench.runs, ["s 11-30T12:05", "s 11-30T12:10"]);
    const [{ params }] = bench.asked as [(typeof bench.asked)[0]];
    assert.deepEqual([params.project, params.name, params.kind], ["default", "f", "event"]);
    const last = await lastOf(bench);
    const dueAt = Date.parse(noon) + 10 * minute;
    assert.deepEqual([last?.dueAt, last?.outcome], [dueAt, "ok"]);
    assert.equal(last?.invocationId, bench.asked[1]?.params.id);
    assert.deepEqual(bench.events, []);
  });

  test("gives the event that it names, be it null", async (t) => {
    const bench = await ScheduleBench.open(t, noon);
    const schedules = [
      every("* * * * *", "a", { event: null }),
      every("* * * * *", "b", { event: "x" }),
    ];
    await bench.create("f", schedules);
    await bench.pass(minute);
    const bodies = bench.asked.map(({ params }) =>
      Buffer.from(params.bodyBase64, "base64").toString(),
    );
    assert.deepEqual(bodies.toSorted(), ['"x"', "null"]);
  });

  test("runs at its time of the day through both changes of the clock, once each day", async (t) => {
    const spring = await ScheduleBench.open(t, "2026-03-28T12:00:00Z");
    await spring.create("f", [every("30 2 * * *", "s", { timeZone: "Europe/Berlin" })]);
    await spring.pass(38 * hour, 5 * minute);
    assert.deepEqual(spring.runs, ["s 03-29T01:00", "s 03-30T00:30"]);
    const autumn = await ScheduleBench.open(t, "2026-10-24T12:00:00Z");
    await autumn.create("f", [every("30 2 * * *", "s", { timeZone: "Europe/Berlin" })]);
    await autumn.pass(38 * hour, 5 * minute);
    assert.deepEqual(autumn.runs, ["s 10-25T00:30", "s 10-26T01:30"]);
  });

  test("is left out while the run before goes on, and that is told", async (t) => {
    const bench = await ScheduleBench.open(t, noon);
    bench.isQuick = false;
    await bench.create("f", [every("* * * * *")]);
    await bench.pass(3 * minute);
    assert.deepEqual(bench.runs, ["s 11-30T12:01"]);
    assert.deepEqual(bench.told("due"), [
      ["schedule_skipped", "2026-11-30T12:02:00.000Z"],
      ["schedule_skipped", "2026-11-30T12:03:00.000Z"],
    ]);
    assert.equal((await lastOf(bench))?.outcome, null);
    bench.asked[0]?.end();
    await bench.pass(minute);
    assert.deepEqual(bench.runs, ["s 11-30T12:01", "s 11-30T12:04"]);
  });

  test("that fails is told, with what the call failed in, and is not tried again", async (t) => {
    const bench = await ScheduleBench.open(t, noon);
    bench.isQuick = false;
    await bench.create("f", [every("0 * * * *")]);
    await bench.pass(hour);
    bench.asked[0]?.end("timeout", { code: "function_timeout", message: "too long" });
    await bench.pass(hour);
    bench.asked[1]?.fail(new IsolaError("too_many_requests", "full"));
    await bench.pass(10 * minute);
    assert.deepEqual(bench.told("outcome", "code", "message"), [
      ["schedule_failed", "timeout", "function_timeout", "too long"],
      ["schedule_failed", "platform_error", "too_many_requests", "full"],
    ]);
    assert.equal(bench.asked.length, 2);
    assert.equal((await lastOf(bench))?.outcome, "platform_error");
  });

  test("waits for a gateway that is away, ten minutes at most", async (t) => {
    const bench = await ScheduleBench.open(t, noon);
    bench.gateway.isConnected = false;
    await bench.create("f", [every("0 13 * * *")]);
    await bench.pass(hour + 9 * minute);
    assert.equal(await lastOf(bench), null);
    bench.gateway.isConnected = true;
    await bench.pass(2000, 1000);
    assert.deepEqual(bench.runs, ["s 11-30T13:00"]);
    bench.gateway.isConnected = false;
    await bench.pass(24 * hour + 10 * minute, minute);
    bench.gateway.isConnected = true;
    await bench.pass(minute);
    assert.equal(bench.asked.length, 1);
    assert.deepEqual(bench.told("count", "due"), [
      ["schedule_missed", 1, "2026-12-01T13:00:00.000Z"],
    ]);
  });
});

describe("a deploy", () => {
  test("of other schedules is in force at once", async (t) => {
    const bench = await ScheduleBench.open(t, noon);
    await bench.create("f", [every("1 12 * * *"), every("2 12 * * *", "kept")]);
    await bench.pass(50_000);
    await bench.change("f", [every("3 12 * * *"), every("2 12 * * *", "kept")]);
    await bench.pass(3 * minute);
    assert.deepEqual(bench.runs, ["kept 11-30T12:02", "s 11-30T12:03"]);
  });

  test("that disables, removes or deletes leaves nothing that runs, also of what waits", async (t) => {
    for (const end of [
      (bench: ScheduleBench) => bench.change("f", [every("* * * * *", "s", { enabled: false })]),
      (bench: ScheduleBench) => bench.change("f", []),
      (bench: ScheduleBench) => bench.delete("f"),
    ]) {
      const bench = await ScheduleBench.open(t, noon);
      bench.gateway.isConnected = false;
      await bench.create("f", [every("* * * * *")]);
      await bench.pass(minute + 5000);
      await end(bench);
      bench.gateway.isConnected = true;
      await bench.pass(5 * minute);
      assert.deepEqual([bench.runs, bench.events], [[], []]);
    }
  });

  test("that is answered while a run is being written has it not begin", async (t) => {
    const bench = await ScheduleBench.open(t, noon);
    await bench.create("f", [every("* * * * *")]);
    const begin = bench.store.beginScheduleRuns.bind(bench.store);
    const written = Promise.withResolvers<void>();
    bench.store.beginScheduleRuns = async (...asked) => {
      const begun = await begin(...asked);
      await written.promise;
      return begun;
    };
    await bench.pass(minute);
    await bench.change("f", [every("* * * * *", "s", { enabled: false })]);
    written.resolve();
    await bench.pass(minute);
    assert.deepEqual([bench.runs, bench.events], [[], []]);
    assert.equal((await lastOf(bench))?.outcome, "cancelled");
  });

  test("that changes a schedule whose moment has come, and has not begun, has that not begin", async (t) => {
    const bench = await ScheduleBench.open(t, noon);
    await bench.create("f", [every("* * * * *")]);
    bench.clock.skip(minute);
    await bench.change("f", [every("30 12 * * *")]);
    await bench.pass(20 * minute);
    assert.deepEqual([bench.runs, bench.events, await lastOf(bench)], [[], [], null]);
  });

  test("that names a schedule again has it begin anew, and a function of the same name knows nothing of the one before", async (t) => {
    const bench = await ScheduleBench.open(t, noon);
    await bench.create("f", [every("* * * * *")]);
    await bench.pass(minute);
    assert.notEqual(await lastOf(bench), null);
    await bench.change("f", []);
    await bench.settle();
    assert.equal(await lastOf(bench), null);
    await bench.change("f", [every("* * * * *")]);
    await bench.pass(minute);
    await bench.delete("f");
    assert.equal(await lastOf(bench), null);
    await bench.create("f", [every("* * * * *")]);
    await bench.pass(minute);
    assert.equal(bench.asked.length, 3);
  });
});

describe("a start of the control plane", () => {
  test("runs the newest moment that it missed, where that is not ten minutes old, and tells the others", async (t) => {
    const bench = await ScheduleBench.open(t, noon);
    await bench.create("f", [every("*/5 * * * *"), every("0 3 * * *", "nightly")]);
    await bench.pass(6 * minute);
    await bench.scheduler.close();
    bench.clock.skip(24 * hour);
    await bench.start();
    await bench.pass(20_000);
    assert.deepEqual(bench.runs, ["s 11-30T12:05", "s 12-01T12:05"]);
    const missed = bench.told("schedule", "count", "due");
    assert.deepEqual(missed.toSorted(), [
      ["schedule_missed", "nightly", 1, "2026-12-01T03:00:00.000Z"],
      ["schedule_missed", "s", 100, "2026-11-30T12:10:00.000Z"],
    ]);
    await bench.scheduler.close();
    await bench.start();
    await bench.pass(20_000);
    assert.deepEqual([bench.runs.length, bench.events.length], [2, 2]);
  });

  test("has nothing missed of times before the deploy", async (t) => {
    const bench = await ScheduleBench.open(t, noon);
    await bench.create("f", [every("* * * * *", "s", { enabled: false })]);
    await bench.pass(hour, minute);
    await bench.change("f", [every("* * * * *")]);
    await bench.scheduler.close();
    await bench.start();
    await bench.pass(30_000);
    assert.deepEqual([bench.runs, bench.events], [[], []]);
  });

  test("after a kill does not run again what had begun, and finds how it ended in its record", async (t) => {
    const bench = await ScheduleBench.open(t, noon);
    bench.isQuick = false;
    await bench.create("f", [every("0 * * * *")]);
    await bench.pass(hour);
    assert.equal(bench.asked.length, 1);
    const id = bench.asked[0]?.params.id;
    const record = { outcome: "timeout", errorCode: "function_timeout", errorMessage: "too long" };
    bench.store.getInvocation = async (_project, asked) => {
      if (asked === id) return record as Awaited<ReturnType<typeof bench.store.getInvocation>>;
      throw new IsolaError("not_found", "there is no such invocation");
    };
    await bench.start();
    await bench.pass(minute);
    assert.equal(bench.asked.length, 1);
    assert.deepEqual(bench.told("invocation", "outcome", "code"), [
      ["schedule_failed", id, "timeout", "function_timeout"],
    ]);
    assert.equal((await lastOf(bench))?.outcome, "timeout");
  });

  test("after a kill lets the next moment wait until the run before can no longer go on", async (t) => {
    const bench = await ScheduleBench.open(t, noon);
    bench.isQuick = false;
    await bench.create("f", [every("* * * * *")]);
    await bench.pass(minute);
    bench.isQuick = true;
    await bench.pass(30_000);
    await bench.start();
    // 50 s for the run, 3 for its end to be told: it began 30 s ago.
    await bench.pass(20_000, 1000);
    assert.deepEqual(bench.told(), []);
    await bench.pass(4000, 1000);
    assert.deepEqual(bench.told("due", "outcome"), [
      ["schedule_failed", "2026-11-30T12:01:00.000Z", "platform_error"],
    ]);
    await bench.pass(minute);
    assert.deepEqual(bench.runs, ["s 11-30T12:01", "s 11-30T12:02"]);
  });
});

describe("a clock that jumps", () => {
  test("forward has the newest moment run and the others told", async (t) => {
    const bench = await ScheduleBench.open(t, noon);
    await bench.create("f", [every("*/10 * * * *")]);
    await bench.pass(minute);
    bench.clock.jumpWall(hour);
    await bench.pass(11_000);
    assert.deepEqual(bench.runs, ["s 11-30T13:00"]);
    assert.deepEqual(bench.told("count", "due"), [
      ["schedule_missed", 5, "2026-11-30T12:10:00.000Z"],
    ]);
  });

  test("back runs no moment twice, and goes on after the last that was run", async (t) => {
    const bench = await ScheduleBench.open(t, noon);
    await bench.create("f", [every("*/10 * * * *")]);
    await bench.pass(21 * minute);
    bench.clock.jumpWall(-15 * minute);
    await bench.pass(26 * minute);
    assert.deepEqual(bench.runs, ["s 11-30T12:10", "s 11-30T12:20", "s 11-30T12:30"]);
    assert.deepEqual(bench.events, []);
  });

  test("back by a year, as after a wrong date, leaves schedules that come due", async (t) => {
    const bench = await ScheduleBench.open(t, noon);
    await bench.create("f", [every("0 * * * *")]);
    bench.clock.jumpWall(365 * 24 * hour);
    await bench.pass(hour, minute);
    const before = bench.asked.length;
    bench.clock.jumpWall(-365 * 24 * hour);
    await bench.pass(hour, minute);
    assert.equal(bench.asked.length, before + 1);
    assert.equal(bench.runs.at(-1), "s 11-30T14:00");
  });
});

describe("a project whose runs hang", () => {
  test("leaves room for those of others, however many it has", async (t) => {
    const bench = await ScheduleBench.open(t, noon);
    await bench.scheduler.close();
    bench.runsMax = 12;
    await bench.start();
    bench.isQuick = false;
    const schedules = Array.from({ length: 20 }, (_, at) => every("0 13 * * *", `s${at}`));
    for (const project of ["one", "two", "three"])
      await bench.store.createProject({ name: project, driver: null, description: "" });
    await bench.create("first", schedules, "one");
    await bench.create("second", schedules, "one");
    await bench.create("later", [every("1 13 * * *")], "two");
    await bench.pass(hour);
    assert.equal(bench.asked.length, 6);
    await bench.pass(minute);
    assert.deepEqual(
      bench.asked.slice(6).map(({ params }) => params.project),
      ["two"],
    );
    bench.asked[0]?.end();
    await bench.settle();
    assert.equal(bench.asked.at(-1)?.params.project, "one");
    assert.equal(bench.asked.length, 8);
  });
});

describe("ten thousand schedules", () => {
  test("that are due at once all run, no more at a time than may, and each once", async (t) => {
    const bench = await ScheduleBench.open(t, noon);
    await bench.scheduler.close();
    bench.runsMax = 50;
    const schedules = Array.from({ length: 20 }, (_, at) => every("0 13 * * *", `s${at}`));
    for (let at = 0; at < 500; at += 1) await bench.create(`f${at}`, schedules);
    await bench.start();
    bench.isQuick = false;
    bench.clock.advance(hour);
    for (let at = 0; at < 10_000; at += 1) {
      while (bench.asked.length <= at) {
        bench.clock.advance(1);
        await new Promise((resolve) => setImmediate(resolve));
      }
      assert.ok(bench.asked.length - at <= 50, `${bench.asked.length - at} at once`);
      bench.asked[at]?.end();
    }
    await bench.pass(20_000);
    const asked = new Set(bench.asked.map(({ params }) => `${params.name} ${params.schedule}`));
    assert.deepEqual([asked.size, bench.asked.length], [10_000, 10_000]);
    const rows = await bench.store.listScheduleRuns();
    assert.ok(rows.every(({ last }) => last?.outcome === "ok"));
    assert.deepEqual(bench.events, []);
  });

  test("that are not due cost one timer", async (t) => {
    const bench = await ScheduleBench.open(t, noon);
    const schedules = Array.from({ length: 20 }, (_, at) => every(`${at} 3 * * *`, `s${at}`));
    for (let at = 0; at < 500; at += 1) await bench.create(`f${at}`, schedules);
    assert.equal(bench.clock.timers, 1);
    await bench.delete("f0");
    assert.equal(bench.clock.timers, 1);
  });
});
