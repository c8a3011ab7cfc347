import assert from "node:assert/strict";
import { test } from "node:test";
import { askedOf, rangeOf } from "./range.ts";

test("a range of an address is one that there is, or none", () => {
  assert.deepEqual(rangeOf({ range: "week" }), { range: "week" });
  assert.deepEqual(rangeOf({ range: "year", since: "1000", until: "900" }), {});
  assert.deepEqual(rangeOf({ since: "1000", until: 2000 }), { since: 1000, until: 2000 });
});

test("a range is asked for in whole steps up to now, a stretch in about 120", () => {
  const now = 3_600_000 * 100 + 30_000;
  assert.deepEqual(askedOf({}, now), {
    ...{ since: 3_600_000 * 99 + 60_000, until: 3_600_000 * 100 + 60_000, stepMs: 60_000 },
  });
  assert.equal(askedOf({ range: "month" }, now).stepMs, 21_600_000);
  assert.equal(askedOf({ since: 1, until: 600_001 }, now).stepMs, 60_000);
  assert.equal(askedOf({ since: 1, until: 86_400_001 }, now).stepMs, 720_000);
});
