import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { ManualClock } from "../pool/testing/manual-clock.ts";
import { DeadlineWatch } from "./deadline-watch.ts";
import type { Watch } from "./messages.ts";
import { Overdue } from "./overdue.ts";

let clock: ManualClock;
let overdue: Overdue;
let killed: string[];
let stalls: number;

beforeEach(() => {
  clock = new ManualClock();
  killed = [];
  stalls = 0;
  overdue = new Overdue({
    clock,
    onOverdue: (id) => killed.push(id),
    onStall: () => {
      stalls += 1;
    },
  });
});

const busy = (arm: Watch["arm"], disarm: string[] = []) =>
  overdue.told({ isBusy: true, arm, disarm });

describe("the keeper's knowledge of deadlines", () => {
  test("ends a sandbox 100 ms after its deadline, and not before", () => {
    busy([["sb-1", 500]]);
    clock.advance(599);
    assert.deepEqual(killed, []);
    clock.advance(1);
    assert.deepEqual(killed, ["sb-1"]);
  });

  test("leaves alone what is done, and what has a later deadline now", () => {
    busy([
      ["sb-1", 500],
      ["sb-2", 500],
    ]);
    clock.advance(300);
    busy([["sb-2", 5000]], ["sb-1"]);
    clock.advance(2000);
    assert.deepEqual(killed, []);
    overdue.forget("sb-2");
    clock.advance(5000);
    assert.deepEqual(killed, []);
  });

  test("takes ten seconds of silence while something runs for a stall, and none while nothing does", () => {
    busy([]);
    clock.advance(9000);
    busy([]);
    for (let at = 0; at < 20; at += 1) clock.advance(490);
    assert.equal(stalls, 0);
    for (let at = 0; at < 3; at += 1) clock.advance(490);
    assert.equal(stalls, 1);
    overdue.told({ isBusy: false, arm: [], disarm: [] });
    for (let at = 0; at < 60; at += 1) clock.advance(490);
    assert.equal(stalls, 1);
  });
});

describe("the gateway's word of deadlines", () => {
  function watching() {
    const said: Watch[] = [];
    const watch = new DeadlineWatch(clock, (message) => said.push(message));
    const sandbox = (id: string) => ({ id, dueAt: 0, toldDueAt: 0 });
    return { said, watch, sandbox };
  }

  test("is given at once when something begins to run, and says no more of what is over within a moment", () => {
    const { said, watch, sandbox } = watching();
    const one = sandbox("sb-1");
    watch.add(one, clock.now() + 1000);
    assert.deepEqual(
      said.map(({ isBusy, arm }) => [isBusy, arm]),
      [[true, []]],
    );
    watch.remove(one);
    clock.advance(25);
    assert.equal(said.length, 1);
    watch.close();
  });

  test("names what runs on with the time that is left, and takes it back when it is over", () => {
    const { said, watch, sandbox } = watching();
    const one = sandbox("sb-1");
    watch.add(one, clock.now() + 1000);
    clock.advance(25);
    assert.deepEqual(said.at(-1)?.arm, [["sb-1", 975]]);
    watch.add(one, clock.now() + 3000);
    clock.advance(25);
    assert.deepEqual(said.at(-1)?.arm, [["sb-1", 2975]], "the latest of those inside counts");
    watch.remove(one);
    clock.advance(25);
    assert.deepEqual(said.at(-1)?.disarm, ["sb-1"]);
    watch.close();
  });

  test("goes on as a heartbeat while something runs, and ends with the word that nothing does", () => {
    const { said, watch, sandbox } = watching();
    const one = sandbox("sb-1");
    watch.add(one, clock.now() + 60_000);
    for (let at = 0; at < 200; at += 1) clock.advance(25);
    assert.ok(said.length >= 10, `${said.length} messages in 5 s`);
    watch.remove(one);
    for (let at = 0; at < 80; at += 1) clock.advance(25);
    assert.equal(said.at(-1)?.isBusy, false);
    const before = said.length;
    for (let at = 0; at < 200; at += 1) clock.advance(25);
    assert.equal(said.length, before);
  });
});
