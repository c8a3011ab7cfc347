import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { type PlatformEvent, eventOf } from "../domain/events.ts";
import type { DeployedFunction } from "../domain/function.ts";
import type { InvocationRecord } from "../domain/invocation.ts";
import { IsolaError } from "../errors.ts";
import { ManualClock } from "../pool/testing/manual-clock.ts";
import { GatheredEvents } from "./gathered-events.ts";

let clock: ManualClock;
let events: GatheredEvents;
let taken: PlatformEvent[];
let dropped: number;

beforeEach(() => {
  clock = new ManualClock();
  events = new GatheredEvents(clock);
  taken = [];
  dropped = 0;
});

function open(): void {
  events.open({
    add: (event) => taken.push(event),
    dropped: (count) => {
      dropped += count;
    },
  });
}

function fn(name: string, revision = 1): DeployedFunction {
  return { project: "default", name, functionId: `fn-${name}`, revision } as DeployedFunction;
}

const call = (id: string, change: Partial<InvocationRecord>) =>
  ({
    id,
    revision: 1,
    sandboxId: `sb-${id}`,
    killMs: 12,
    errorMessage: "why",
    ...change,
  }) as InvocationRecord;
const told = () => taken.map(({ kind, functionName, fields }) => [kind, functionName, fields]);

describe("events of the gateway", () => {
  test("of one kind and revision within a second are told as one, with the last one's facts", () => {
    open();
    for (const id of ["a", "b", "c"]) events.onCall(fn("hello"), call(id, { outcome: "timeout" }));
    events.onCall(fn("other"), call("d", { outcome: "timeout" }));
    events.onCall(fn("hello"), call("e", { outcome: "out_of_memory" }));
    events.onCall(fn("hello"), call("f", { outcome: "crash" }));
    clock.advance(999);
    assert.equal(taken.length, 0);
    clock.advance(1);
    const common = { revision: 1, count: 1 };
    assert.deepEqual(told(), [
      [
        "sandbox_timed_out",
        "hello",
        { revision: 1, count: 3, invocation: "c", sandbox: "sb-c", killMs: 12 },
      ],
      ["sandbox_timed_out", "other", { ...common, invocation: "d", sandbox: "sb-d", killMs: 12 }],
      ["sandbox_out_of_memory", "hello", { ...common, invocation: "e", sandbox: "sb-e" }],
      ["sandbox_crashed", "hello", { ...common, invocation: "f", sandbox: "sb-f", message: "why" }],
    ]);
    events.onCall(fn("hello"), call("g", { outcome: "timeout" }));
    clock.advance(1000);
    assert.equal(taken.at(-1)?.fields.count, 1, "the next second counts anew");
  });

  test("tell how a function grew and shrank, by reason; calls without a sandbox and ordinary ends tell nothing", () => {
    open();
    events.onStarted(fn("hello"), 1);
    events.onStarted(fn("hello"), 2);
    events.onStarted(fn("hello", 2), 1);
    events.onEnded(fn("hello"), "idle", 1);
    events.onEnded(fn("hello"), "replaced", 0);
    events.onEnded(fn("hello"), "evicted", 0);
    for (const reason of ["after_response", "shutdown"] as const)
      events.onEnded(fn("hello"), reason, 0);
    events.onStartFailed(fn("hello"), new IsolaError("init_failed", "no module"));
    events.onCall(fn("hello"), call("a", { outcome: "timeout", sandboxId: null }));
    events.onCall(fn("hello"), call("a", { outcome: "function_error" }));
    events.flush();
    assert.deepEqual(told(), [
      ["scaled_up", "hello", { revision: 1, count: 2, sandboxes: 2 }],
      ["scaled_up", "hello", { revision: 2, count: 1, sandboxes: 1 }],
      ["scaled_down", "hello", { revision: 1, count: 1, sandboxes: 1, reason: "idle" }],
      ["scaled_down", "hello", { revision: 1, count: 1, sandboxes: 0, reason: "replaced" }],
      ["sandboxes_evicted", "hello", { revision: 1, count: 1, sandboxes: 0 }],
      [
        "sandbox_start_failed",
        "hello",
        { revision: 1, count: 1, code: "init_failed", message: "no module" },
      ],
    ]);
    events.flush();
    assert.equal(taken.length, 6);
  });

  test("before anybody takes them are held, and above a thousand at once counted", () => {
    events.add(eventOf("swept", 1, { driver: "process", count: 3 }));
    open();
    assert.equal(taken[0]?.kind, "swept");
    for (let at = 0; at < 1500; at += 1) events.onStarted(fn(`f${at}`), 1);
    events.flush();
    assert.deepEqual([taken.length, dropped], [1001, 500]);
  });
});
