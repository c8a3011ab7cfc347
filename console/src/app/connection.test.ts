import assert from "node:assert/strict";
import { test } from "node:test";
import { type Connection, type WatchedQuery, connectionOf } from "./connection.ts";

const query = (id: string, change: Partial<WatchedQuery> = {}): WatchedQuery => ({
  ...{ id, isAsking: false, isFailing: false, shownAt: 5 },
  ...change,
});
const good: Connection = { state: "good" };

test("a question that stays open for four seconds says that the server is slow", () => {
  const begun = new Map<string, number>();
  const open = [query("a", { isAsking: true })];
  assert.equal(connectionOf(open, { begun, nowMs: 1000, before: good }).state, "good");
  assert.equal(connectionOf(open, { begun, nowMs: 4999, before: good }).state, "good");
  const slow = connectionOf(open, { begun, nowMs: 5000, before: good });
  assert.deepEqual(slow, { state: "slow", shownAt: 5 });
  assert.equal(connectionOf([query("a")], { begun, nowMs: 6000, before: slow }).state, "good");
  assert.equal(connectionOf(open, { begun, nowMs: 7000, before: good }).state, "good");
});

test("a server that fails is down, whatever else is slow, and what is shown is of the oldest", () => {
  const begun = new Map([["a", 0]]);
  const all = [
    query("a", { isAsking: true, shownAt: 9 }),
    query("b", { isFailing: true, shownAt: 7 }),
    query("c", { isFailing: true, shownAt: 0 }),
  ];
  const down = connectionOf(all, { begun, nowMs: 9000, before: good });
  assert.deepEqual(down, { state: "down", shownAt: 7 });
  assert.equal(connectionOf(all, { begun, nowMs: 9001, before: down }), down);
});
