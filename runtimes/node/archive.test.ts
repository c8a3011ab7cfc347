import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { type Header, pack } from "tar-stream";
import { FrameError } from "../../protocol/src/frames.mjs";
import { ArchiveUnpacker } from "./archive.mjs";

const roots: string[] = [];
after(() => {
  for (const root of roots) rmSync(root, { recursive: true, force: true });
});

function freshRoot(): string {
  const root = mkdtempSync(join(tmpdir(), "isola-archive-"));
  roots.push(root);
  return root;
}

async function tarOf(entries: [Partial<Header> & { name: string }, string?][]): Promise<Buffer> {
  const tar = pack();
  for (const [header, text] of entries) tar.entry(header, text ?? "");
  tar.finalize();
  return Buffer.concat((await Array.fromAsync(tar)) as Buffer[]);
}

function unpack(bytes: Buffer, stepBytes = bytes.length): { root: string; files: string[] } {
  const root = freshRoot();
  const unpacker = new ArchiveUnpacker(root);
  for (let at = 0; at < bytes.length; at += stepBytes)
    unpacker.push(bytes.subarray(at, at + stepBytes));
  unpacker.finish();
  return { root, files: unpacker.files };
}

const long = `${"deep/".repeat(60)}ü-${"x".repeat(120)}.txt`;

describe("ArchiveUnpacker", () => {
  for (const step of [1, 7, 511, 512, 513, 4096, 1 << 20])
    test(`unpacks the same from pieces of ${step} bytes`, async () => {
      const tar = await tarOf([
        [{ name: "bin/run", mode: 0o755 }, "#!/bin/sh"],
        [{ name: "empty.txt" }, ""],
        [{ name: "lib/", type: "directory" }],
        [{ name: long }, "long"],
        [{ name: "z.bin" }, "z".repeat(1024)],
      ]);
      const { root, files } = unpack(tar, step);
      assert.deepEqual(files, ["bin/run", "empty.txt", long, "z.bin"]);
      assert.equal(readFileSync(join(root, long), "utf8"), "long");
      assert.equal(readFileSync(join(root, "z.bin"), "utf8"), "z".repeat(1024));
      assert.equal(statSync(join(root, "empty.txt")).size, 0);
      const modes = ["bin/run", "bin", "lib", "z.bin", "deep/deep", "."].map((path) =>
        (statSync(join(root, path)).mode & 0o777).toString(8),
      );
      assert.deepEqual(modes, ["555", "555", "555", "444", "555", "555"]);
    });

  const refused: [string, Partial<Header> & { name: string }, RegExp][] = [
    ["an absolute path", { name: "/etc/x" }, /path "\/etc\/x" is not allowed/],
    ["a parent path", { name: "a/../../x" }, /not allowed/],
    ["a dot in a path", { name: "./x" }, /not allowed/],
    ["a link", { name: "l", type: "symlink", linkname: "/etc" }, /neither a file nor a folder/],
    ["a hard link", { name: "l", type: "link", linkname: "a" }, /neither a file nor a folder/],
    ["a device", { name: "d", type: "character-device" }, /neither a file nor a folder/],
  ];
  for (const [what, header, message] of refused)
    test(`refuses ${what}`, async () => {
      const tar = await tarOf([[header]]);
      const root = freshRoot();
      const unpacker = new ArchiveUnpacker(root);
      assert.throws(
        () => unpacker.push(tar),
        (error) => error instanceof FrameError && message.test(error.message),
      );
      assert.deepEqual(readdirSync(root), []);
    });

  test("refuses a second file of the same name", async () => {
    const tar = await tarOf([
      [{ name: "a" }, "1"],
      [{ name: "a" }, "2"],
    ]);
    assert.throws(() => unpack(tar), /EEXIST/);
  });
});
