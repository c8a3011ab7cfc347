import assert from "node:assert/strict";
import { test } from "node:test";
import { asText, stacked, withoutEmpty } from "./series.ts";

const a = { name: "a", color: "#000", values: [1, null, 2, null] };
const b = { name: "b", color: "#111", values: [3, 4, null, null] };

test("stacked areas lie on each other, and a step without any data is a gap", () => {
  assert.deepEqual(stacked([a, b]), [
    [1, 0, 2, null],
    [4, 4, 2, null],
  ]);
  assert.deepEqual(stacked([]), []);
});

test("series without a value are left out", () => {
  const zero = { name: "z", color: "#222", values: [0, null] };
  assert.deepEqual(withoutEmpty([a, zero]), [a]);
});

test("a chart is told as a table", () => {
  const text = asText({ times: [0, 60_000], series: [{ ...a, values: [1, null] }] });
  assert.equal(text, "time\ta\n1970-01-01T00:00:00.000Z\t1\n1970-01-01T00:01:00.000Z\t");
});
