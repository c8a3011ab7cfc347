import assert from "node:assert/strict";
import { test } from "node:test";
import { pack } from "tar-stream";
import { packageText, problemOfPath } from "./package-text.ts";
import { readTar } from "./read-tar.ts";

async function tarOf(files: Record<string, string | Buffer>): Promise<Uint8Array> {
  const tar = pack();
  tar.entry({ name: "lib/", type: "directory" });
  for (const [name, content] of Object.entries(files)) tar.entry({ name }, content);
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

test("files of a tar are read with their paths and contents", async () => {
  const long = `${"folder/".repeat(40)}ünïcode.mjs`;
  const files = { "index.mjs": "export {};\n", empty: "", [long]: "x".repeat(1000) };
  const read = readTar(await tarOf(files));
  assert.deepEqual(
    Object.fromEntries(read.map(({ path, bytes }) => [path, Buffer.from(bytes).toString()])),
    files,
  );
});

test("a tar that is cut is refused", async () => {
  const tar = await tarOf({ "index.mjs": "x".repeat(2000) });
  assert.throws(() => readTar(tar.subarray(0, 1800)), /cut/);
});

test("what is no text is named and not shown", async () => {
  const binary = Buffer.from([0xff, 0xfe, 0]);
  const { files, others } = packageText(readTar(await tarOf({ a: "text", b: binary, c: "a\0b" })));
  assert.deepEqual(files, { a: "text" });
  assert.deepEqual(others, ["b", "c"]);
});

test("paths of new files stay below the package", () => {
  assert.equal(problemOfPath("lib/a.mjs", ["b"]), null);
  for (const path of ["", "/a", "a/../b", "./a", "a//b", "b"])
    assert.notEqual(problemOfPath(path, ["b"]), null, path);
});
