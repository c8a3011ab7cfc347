import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { FileReply } from "./file-reply.ts";

function pathFor(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), "isola-file-reply-"));
  t.after(() => rmSync(dir, { recursive: true }));
  return join(dir, "answer");
}

test("an answer with status 200 is in the file, whole, once it is written", async (t) => {
  const path = pathFor(t);
  const reply = new FileReply(path, 100);
  reply.head(200);
  reply.body(Buffer.from("one "));
  reply.end(Buffer.from("two"));
  assert.equal(await reply.written(true), true);
  assert.equal(readFileSync(path, "utf8"), "one two");
});

test("an answer that was given up in its middle does not keep anybody waiting", async (t) => {
  const reply = new FileReply(pathFor(t), 100);
  reply.head(200);
  reply.body(Buffer.from("half"));
  assert.equal(await reply.written(false), false);
});

test("an answer that was cut is not whole", async (t) => {
  const reply = new FileReply(pathFor(t), 100);
  reply.head(200);
  reply.body(Buffer.from("half"));
  reply.cut();
  assert.equal(await reply.written(true), false);
});

test("one byte too many ends it, and the sandbox need not go on", async (t) => {
  const reply = new FileReply(pathFor(t), 10);
  const gone = new Promise<void>((resolve) => {
    reply.onGone = resolve;
  });
  reply.head(200);
  reply.body(Buffer.alloc(10));
  assert.equal(reply.problem, null);
  reply.body(Buffer.alloc(1));
  await gone;
  assert.match(reply.problem ?? "", /more than 10 bytes/);
  assert.equal(await reply.written(true), false);
});

test("a file that is there is never written over", async (t) => {
  const path = pathFor(t);
  writeFileSync(path, "of somebody else");
  const reply = new FileReply(path, 100);
  reply.head(200);
  reply.end(Buffer.from("x"));
  assert.equal(await reply.written(true), false);
  assert.match(reply.problem ?? "", /EEXIST/);
  assert.equal(readFileSync(path, "utf8"), "of somebody else");
});

test("any other answer is words, of which the beginning is kept, and no file", async (t) => {
  const path = pathFor(t);
  const reply = new FileReply(path, 100);
  reply.head(422);
  for (let at = 0; at < 100; at += 1) reply.body(Buffer.alloc(1000, "x"));
  reply.end();
  assert.equal(await reply.written(true), true);
  assert.ok(reply.said.length >= 60_000 && reply.said.length <= 65_536);
  assert.ok(!existsSync(path));
});
