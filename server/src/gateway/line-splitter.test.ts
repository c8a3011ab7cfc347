import assert from "node:assert/strict";
import { test } from "node:test";
import { LineSplitter } from "./line-splitter.ts";

function split(bytesMax: number, chunks: string[]): [string, boolean][] {
  const lines: [string, boolean][] = [];
  const splitter = new LineSplitter(bytesMax, (text, isTruncated) =>
    lines.push([text, isTruncated]),
  );
  for (const chunk of chunks) splitter.push(Buffer.from(chunk, "latin1"));
  splitter.flush();
  return lines;
}

test("lines come out whole however their bytes arrive", () => {
  const text = "one\n\ntwo\nthree";
  const whole = split(100, [text]);
  assert.deepEqual(whole, [
    ["one", false],
    ["", false],
    ["two", false],
    ["three", false],
  ]);
  assert.deepEqual(split(100, [...text]), whole);
});

test("a line above the bound is cut and marked, and the next one is whole", () => {
  assert.deepEqual(split(4, ["abcd\nabc", "def", "ghi\nxy\n"]), [
    ["abcd", false],
    ["abcd", true],
    ["xy", false],
  ]);
});

test("a character whose bytes arrive apart is one character", () => {
  const bytes = Buffer.from("é\n").toString("latin1");
  assert.deepEqual(split(10, [...bytes]), [["é", false]]);
});
