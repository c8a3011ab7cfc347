import assert from "node:assert/strict";
import { test } from "node:test";
import { type CallEvent, DevText } from "./dev-events.ts";

const call: CallEvent = {
  ...{ event: "call", function: "report", id: "inv-1", revision: 1, method: "GET", path: "/x" },
  ...{ status: 200, outcome: "ok", errorCode: null, startKind: "warm", sandboxId: "sb-1" },
  ...{ startedAt: "2026-01-01T00:00:00.000Z", totalMs: 2, runMs: 1 },
};

test("a call is told by its request, as an event, or by the schedule that made it", () => {
  const told = (method: string, path: string) =>
    new DevText().lines({ ...call, method, path }).map(({ text }) => text);
  assert.deepEqual(told("GET", "/x"), ["report | GET /x -> 200 2.0 ms warm"]);
  assert.deepEqual(told("", ""), ["report | event -> 200 2.0 ms warm"]);
  assert.deepEqual(told("", "schedule:nightly"), ["report | schedule:nightly -> 200 2.0 ms warm"]);
});
