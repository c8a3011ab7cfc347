import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "@isola/api/api-error";
import type { Draft } from "./draft.ts";
import { type Refusal, refusedValue, standing } from "./refusal.ts";

const schedule = (name: string, cron: string) => ({ name, cron, timeZone: "UTC", enabled: true });
const sent: Draft = {
  schedules: [schedule("a", "@daily"), schedule("b", "0 25 * * *")],
  handler: "x",
};

function refusalOf(...paths: string[]): Refusal {
  const details = paths.map((path) => ({ path, expected: "another", given: "this" }));
  const answer = { status: 400, code: "invalid_request", details, requestId: "r" };
  return { error: new ApiError("as details say", answer), sent };
}

function toldOf(refusal: Refusal, draft: Draft): string | null {
  const error = standing(refusal, draft);
  return error === null ? null : (error as ApiError).message;
}

test("what the server said of a schedule's value is told of this value alone, wherever it stands", () => {
  const refusal = refusalOf("schedules[1].cron");
  assert.equal(refusedValue(refusal, "cron", "0 25 * * *"), "expected another");
  assert.equal(refusedValue(refusal, "cron", "@daily"), null);
  assert.equal(refusedValue(refusal, "timeZone", "UTC"), null);
  assert.equal(refusedValue(null, "cron", "0 25 * * *"), null);
});

test("an error is told in the words of the form, until what it is about has been changed", () => {
  const refusal = refusalOf("schedules[1].cron", "handler", "schedules[0].name");
  const [first, second] = sent.schedules ?? [];
  assert.ok(first && second);
  const all = [
    "Schedule 2: Cron: expected another, given this",
    "handler: expected another, given this",
    "Schedule 1.name: expected another, given this",
  ];
  assert.equal(toldOf(refusal, sent), all.join("; "));
  assert.equal(toldOf(refusal, { ...sent, handler: "y" }), `${all[0]}; ${all[2]}`);
  const moved = { handler: "y", schedules: [second] };
  assert.equal(toldOf(refusal, moved), all[0], "it stands where the schedule has gone");
  assert.equal(toldOf(refusal, { handler: "y", schedules: [first] }), null);
});

test("an error that is about no field stays as it is", () => {
  const unreachable = new ApiError("no", { status: 0, code: "unreachable" });
  assert.equal(standing({ error: unreachable, sent }, {}), unreachable);
  const details = [{ path: "npm", expected: "to succeed", given: "output" }];
  const built = new ApiError("no", { status: 422, code: "build_failed", details });
  assert.equal(standing({ error: built, sent }, {}), built);
  assert.equal(standing(null, sent), null);
});
