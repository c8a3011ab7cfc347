import assert from "node:assert/strict";
import { test } from "node:test";
import type { Schedule } from "../../domain/function.ts";
import type { Outcome } from "../../domain/invocation.ts";
import type { Store } from "../store.ts";
import { type OpenStore, create, newRevision, openFor, settings } from "./fixture.ts";

const nightly: Schedule = { name: "nightly", cron: "0 3 * * *", timeZone: "UTC", enabled: true };
const hourly: Schedule = { ...nightly, name: "hourly", cron: "@hourly", event: { a: null } };
const never = Number.MAX_SAFE_INTEGER;

function rowOf(functionId: string, dueAt: number, outcome: Outcome | null = null) {
  const { startedAt, invocationId, schedule: name } = runOf(functionId, dueAt);
  const last = { dueAt, startedAt, invocationId, outcome };
  return { functionId, schedule: name, handledUntil: dueAt, last };
}

function runOf(functionId: string, dueAt: number, schedule = "nightly") {
  return { functionId, schedule, dueAt, startedAt: dueAt + 5, invocationId: `inv-${dueAt}` };
}

async function schedule(store: Store, name: string, schedules: Schedule[]) {
  await store.addRevision("default", name, () =>
    newRevision({ settings: { ...settings, schedules } }),
  );
}

export function scheduleCases(open: OpenStore): void {
  test("functions whose live revision has schedules are found, with what they are, and the gateway hears of none", async (t) => {
    const { store, reopen, clock } = await openFor(t, open);
    const { fn } = await create(store, "a");
    await create(store, "b");
    clock.stepMs(7);
    await schedule(store, "a", [nightly, hourly]);
    const expected = {
      ...{ project: "default", name: "a", functionId: fn.id, updatedAt: clock.wall() },
      ...{ schedules: [nightly, hourly], runMsMax: 50_000 },
    };
    assert.deepEqual(await store.scheduledFunctions(), [expected]);
    const again = await reopen();
    assert.deepEqual(await again.scheduledFunctions(), [expected]);
    for (const { settings: told } of await again.deployedFunctions())
      assert.deepEqual(told.schedules, []);
    await again.setLive("default", "a", 1);
    assert.deepEqual(await again.scheduledFunctions(), []);
  });

  test("of many calls at once for one due moment one begins, and none after it", async (t) => {
    const { store, reopen } = await openFor(t, open);
    const { fn } = await create(store, "a");
    const tries = Array.from({ length: 10 }, () =>
      store.beginScheduleRuns([runOf(fn.id, 1000)], never),
    );
    const begun = (await Promise.all(tries)).flat();
    assert.deepEqual(begun, [{ functionId: fn.id, schedule: "nightly" }]);
    const again = await reopen();
    for (const dueAt of [1000, 999])
      assert.deepEqual(await again.beginScheduleRuns([runOf(fn.id, dueAt)], never), []);
    assert.equal((await again.beginScheduleRuns([runOf(fn.id, 1001)], never)).length, 1);
    const [row] = await again.listScheduleRuns();
    assert.deepEqual(row, rowOf(fn.id, 1001));
  });

  test("what a clock that went wrong had handled does not count", async (t) => {
    const { store } = await openFor(t, open);
    const { fn } = await create(store, "a");
    await store.beginScheduleRuns([runOf(fn.id, 9000)], never);
    assert.deepEqual(await store.beginScheduleRuns([runOf(fn.id, 1000)], 9000), []);
    assert.equal((await store.beginScheduleRuns([runOf(fn.id, 1000)], 8999)).length, 1);
    assert.equal((await store.listScheduleRuns(fn.id))[0]?.handledUntil, 1000);
  });

  test("runs begin together; one whose function is no more is left out", async (t) => {
    const { store } = await openFor(t, open);
    const { fn } = await create(store, "a");
    const runs = [runOf(fn.id, 1), runOf("fn-gone", 1), runOf(fn.id, 1, "hourly")];
    const begun = await store.beginScheduleRuns(runs, never);
    assert.deepEqual(
      begun.map((one) => one.schedule),
      ["nightly", "hourly"],
    );
    assert.equal((await store.listScheduleRuns()).length, 2);
  });

  test("an outcome belongs to its moment, and what was passed over does not come again", async (t) => {
    const { store } = await openFor(t, open);
    const { fn } = await create(store, "a");
    const key = { functionId: fn.id, schedule: "nightly" };
    const gone = { ...key, functionId: "fn-gone", until: 5 };
    await store.noteSchedules({ ended: [], passed: [{ ...key, until: 5 }, gone] });
    assert.deepEqual(await store.listScheduleRuns(), [{ ...key, handledUntil: 5, last: null }]);
    await store.beginScheduleRuns([runOf(fn.id, 10)], never);
    const ended = [
      { ...key, dueAt: 10, outcome: "timeout" as const },
      { ...key, dueAt: 9, outcome: "ok" as const },
    ];
    const passed = [30, 20].map((until) => ({ ...key, until }));
    await store.noteSchedules({ ended, passed });
    const [row] = await store.listScheduleRuns(fn.id);
    assert.deepEqual(row, { ...rowOf(fn.id, 10, "timeout"), handledUntil: 30 });
    assert.deepEqual(await store.beginScheduleRuns([runOf(fn.id, 30)], never), []);
  });

  test("runs go with their function, and those of schedules that it has no more when that is said", async (t) => {
    const { store } = await openFor(t, open);
    const [{ fn: a }, { fn: b }] = [await create(store, "a"), await create(store, "b")];
    for (const { id } of [a, b])
      await store.beginScheduleRuns([runOf(id, 1), runOf(id, 1, "hourly")], never);
    await store.forgetScheduleRuns(a.id, ["hourly"]);
    const left = async () => (await store.listScheduleRuns()).map((one) => one.schedule).sort();
    assert.deepEqual(await left(), ["hourly", "hourly", "nightly"]);
    await store.deleteFunction("default", "b");
    assert.deepEqual(await left(), ["hourly"]);
    await store.forgetScheduleRuns(a.id, []);
    assert.deepEqual(await left(), []);
  });
}
