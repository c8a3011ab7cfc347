import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { Type } from "../../protocol/src/frames.mjs";
import { Rest } from "./rest.mjs";
import { TestHost } from "./test-host.ts";

const REST_MS = 2000;

/** A `Rest` on a clock that stands still unless it is moved. */
function restOf(t: TestContext) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const state = { calls: 0, isIdle: true, nowMs: 0, collections: 0 };
  const activity = { callCount: () => state.calls, isIdle: () => state.isIdle };
  const collect = () => void (state.collections += 1);
  const rest = new Rest(activity, () => state.nowMs, collect);
  const pass = (ms: number, lateMs = 0) => {
    state.nowMs += ms + lateMs;
    t.mock.timers.tick(ms);
  };
  return { rest, state, pass };
}

describe("rest after calls", () => {
  test("collects once after a burst, and again only after another", (t) => {
    const { rest, state, pass } = restOf(t);
    state.calls = 1000;
    rest.begin();
    pass(REST_MS - 1);
    assert.equal(state.collections, 0);
    pass(1);
    assert.equal(state.collections, 1);
    state.calls = 1999;
    rest.begin();
    pass(REST_MS);
    assert.equal(state.collections, 1);
    state.calls = 2000;
    rest.begin();
    pass(REST_MS);
    assert.equal(state.collections, 2);
  });

  test("is put off by every call that comes meanwhile", (t) => {
    const { rest, state, pass } = restOf(t);
    state.calls = 1000;
    rest.begin();
    state.calls = 1001;
    pass(REST_MS);
    assert.equal(state.collections, 0);
    pass(REST_MS);
    assert.equal(state.collections, 1);
  });

  test("waits for the end of a call under way", (t) => {
    const { rest, state, pass } = restOf(t);
    state.calls = 1000;
    rest.begin();
    state.isIdle = false;
    pass(REST_MS);
    pass(REST_MS);
    assert.equal(state.collections, 0);
    state.isIdle = true;
    rest.begin();
    pass(REST_MS);
    assert.equal(state.collections, 1);
  });

  test("does not hold up the call that wakes a frozen sandbox", (t) => {
    const { rest, state, pass } = restOf(t);
    state.calls = 1000;
    rest.begin();
    pass(REST_MS, 60_000);
    assert.equal(state.collections, 0);
    pass(REST_MS);
    assert.equal(state.collections, 1);
  });

  test("frees what the calls have left, by means that the function does not have", async () => {
    const code = `
      import vm from "node:vm";
      export const registry = new FinalizationRegistry(() => console.log("collected"));
      let calls = 0;
      let kept = {};
      registry.register(kept);
      export const handler = () => {
        calls += 1;
        // By its end the object has been moved to where only a whole collection finds it.
        if (calls === 1500) kept = null;
        const garbage = Array.from({ length: 1000 }, (_, at) => ({ at }));
        return [garbage.length, typeof gc, vm.runInNewContext("typeof gc")];
      };`;
    await using host = await TestHost.ready({ "index.mjs": code }, { concurrency: 1500 });
    const streams = Array.from({ length: 1500 }, () => host.open());
    await host.answer(streams.at(-1) as number);
    await host.first((frame) => frame.type === Type.LOG);
    assert.deepEqual(
      host.logs.map(({ text }) => text),
      ["collected"],
    );
    const { body } = await host.invoke();
    assert.deepEqual(JSON.parse(body.toString()), [1000, "undefined", "undefined"]);
  });
});
