import assert from "node:assert/strict";
import { PassThrough, Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { asLogLine, forEachLine, logSink } from "./log-lines.ts";

async function linesOf(chunks: string[]): Promise<string[]> {
  const stream = new PassThrough();
  const lines: string[] = [];
  forEachLine(stream, (line) => lines.push(line));
  for (const chunk of chunks) stream.write(chunk);
  stream.end();
  await finished(stream);
  return lines;
}

function written(line: string, isTTY: boolean): string {
  let all = "";
  const output = Object.assign(
    new Writable({
      write(chunk, _encoding, done) {
        all += String(chunk);
        done();
      },
    }),
    { isTTY },
  );
  logSink(output)(line);
  return all;
}

test("lines are put together from chunks, with the last one unfinished", async () => {
  assert.deepEqual(await linesOf(["a\nb", "c\n", "\nd"]), ["a", "bc", "", "d"]);
});

test("a line without an end is cut at its bound and the next one is whole", async () => {
  const lines = await linesOf(["x".repeat(40_000), "x".repeat(40_000), "x\nnext\n"]);
  assert.deepEqual(
    lines.map((line) => line.length),
    [65_536, 4],
  );
});

test("what a dying process writes becomes a log line of its role", () => {
  const line = asLogLine("Error: gone\u001b[31m", "gateway") as string;
  assert.equal((JSON.parse(line) as { msg: string }).msg, "Error: gone\u001b[31m");
  assert.equal(asLogLine("  ", "gateway"), null);
  assert.equal(asLogLine('{"level":30,"msg":"x"}', "gateway"), '{"level":30,"msg":"x"}');
});

test("a terminal gets one readable line without control characters of others", () => {
  const record = {
    level: 40,
    time: 0,
    role: "gateway",
    msg: "odd \u001b]0;x\u0007",
    path: "/\u009b2J",
  };
  const line = stripVTControlCharacters(written(JSON.stringify(record), true));
  assert.match(line, /warn gateway odd \\x1b\]0;x\\x07 {2}path=\/\\x9b2J\n$/);
});

test("anything else gets JSON as it was", () => {
  assert.equal(written('{"level":30}', false), '{"level":30}\n');
});
