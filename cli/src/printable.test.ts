import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { printable, printableJson, printableLine, table } from "./printable.ts";

// oxlint-disable-next-line no-misleading-character-class -- single code points that steer a terminal are what is looked for
const steering = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

test("printable text holds nothing that steers a terminal, whatever it is made of", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => !steering.test(printable(text))));
  assert.equal(printable("a\tb\r\nc\u009b1m\u202e"), "a\tb\nc\\x9b1m\\u202e");
});

test("a printable line is one line, whatever it is made of", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const line = printableLine(text);
      assert.ok(!steering.test(line) && !/[\n\u2028\u2029]/.test(line));
      assert.equal(printable(line), line, "printed once more it stays the same");
    }),
  );
  assert.equal(printableLine("a\r\nb\tc\u2028d"), "a\\r\\nb\tc\\u2028d");
});

test("printable JSON is the same value and holds nothing that steers a terminal", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = printableJson({ value });
      assert.ok(!steering.test(text.replaceAll("\n", "")));
      assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify({ value })));
    }),
  );
});

test("a table pads all columns but the last", () => {
  assert.equal(table(["A", "B"], [["long", "x"]]), "A     B\nlong  x");
});
