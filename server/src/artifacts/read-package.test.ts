import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { extract } from "tar-stream";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { canonical, refusal, tarOf, zipOf } from "./archives.fixture.ts";
import { defaultPackageLimits } from "./package-limits.ts";
import { readPackage } from "./read-package.ts";

/** Segments of one letter case, so that no two collide; some long, some not ASCII. */
const segment = fc.oneof(
  fc.stringMatching(/^[a-z0-9_-]{1,12}(\.[a-z]{1,4})?$/),
  fc.constantFrom("ü", "日本", "\u{1F600}", "with space", "x".repeat(120), "__macosx", ".ds_store"),
);
const path = fc
  .array(segment, { minLength: 1, maxLength: 6 })
  .map((segments) => segments.join("/"))
  .filter((text) => Buffer.byteLength(text) <= 1024);
const contents = fc.uint8Array({ maxLength: 2000 }).map((bytes) => Buffer.from(bytes));

/** Files none of which lies in another. */
const fileSet = fc
  .uniqueArray(fc.tuple(path, contents, fc.boolean()), {
    minLength: 1,
    maxLength: 12,
    selector: ([name]) => name,
  })
  .map((files) => files.filter(([name]) => !files.some(([other]) => other.startsWith(`${name}/`))));

test("any files survive with their bytes, and the tar depends neither on order nor on the source format", async () => {
  await fc.assert(
    fc.asyncProperty(fileSet, fc.nat(), async (files, turn) => {
      const rotated = [...files.slice(turn % files.length), ...files.slice(0, turn % files.length)];
      const mode = (isExecutable: boolean) => (isExecutable ? 0o100755 : 0o100644);
      const tar = await tarOf(
        files.map(([name, text, isExecutable]) => ({
          name,
          text,
          mode: mode(isExecutable) & 0o777,
        })),
      );
      const zip = await zipOf(
        rotated.map(([name, text, isExecutable], index) => [
          name,
          text,
          { mode: mode(isExecutable), compress: index % 2 === 0 },
        ]),
      );
      const fromTar = await canonical({ kind: "tar", bytes: tar });
      assert.ok(fromTar.equals(await canonical({ kind: "archive", bytes: gzipSync(tar) })));
      assert.ok(fromTar.equals(await canonical({ kind: "zip", bytes: zip })));
      assert.ok(fromTar.equals(await canonical({ kind: "tar", bytes: fromTar })), "not canonical");
      const unpacked = await unpack(fromTar);
      assert.deepEqual(
        new Map(files.map(([name, text, isExecutable]) => [name, { text, isExecutable }])),
        new Map([...unpacked].toSorted(([a], [b]) => order(files, a) - order(files, b))),
      );
    }),
    { numRuns: 60 },
  );
});

test("texts by path make the same tar as an archive of them", async () => {
  const files = { "b/ü.mjs": "export default 'ü';", "a.txt": "", "B2/c": "\0" };
  const zip = await zipOf(
    Object.entries(files).map(([name, text]) => [name, Buffer.from(text)] as [string, Buffer]),
  );
  assert.ok(
    (await canonical({ kind: "files", files })).equals(
      await canonical({ kind: "zip", bytes: zip }),
    ),
  );
});

test("an empty folder is kept, and a folder without an entry of its own gets one", async () => {
  const files: [string, Buffer][] = [
    ["empty/", Buffer.alloc(0)],
    ["a/b/c", Buffer.from("1")],
  ];
  const tar = await canonical({ kind: "zip", bytes: await zipOf(files) });
  const names: string[] = [];
  for (let at = 0; tar[at] !== 0; at += tar[at + 156] === 0x30 ? 1024 : 512) {
    names.push(tar.toString("latin1", at, tar.indexOf(0, at)));
  }
  assert.deepEqual(names, ["a/", "a/b/", "a/b/c", "empty/"]);
});

test("files by path keep the same rules of names as archives", async () => {
  for (const [name, words] of [
    ["../x", /"\.\."/],
    ["/x", /absolute/],
    ["a/", /named as a folder/],
    ["\u{D800}", /UTF-8/],
    [".", /named as a folder/],
    ["", /no name/],
    ["__proto__/../x", /"\.\."/],
  ] as const) {
    await assert.rejects(
      readPackage({ kind: "files", files: { [name]: "x" } }),
      refusal("invalid_package", words),
      name,
    );
  }
  await assert.rejects(
    readPackage({ kind: "files", files: {} }),
    refusal("invalid_package", /no file/),
  );
});

test("a package can be asked for its tar again", async () => {
  const checked = await readPackage({ kind: "files", files: { a: "1" } });
  const first = await buffer(checked.tar());
  assert.ok(first.equals(await buffer(checked.tar())));
  await checked.close();
});

async function unpack(tar: Buffer): Promise<Map<string, { text: Buffer; isExecutable: boolean }>> {
  const found = new Map<string, { text: Buffer; isExecutable: boolean }>();
  const entries = extract();
  Readable.from([tar]).pipe(entries as unknown as NodeJS.WritableStream);
  for await (const entry of entries) {
    const { name, type, mode, mtime, uid, gid } = entry.header;
    assert.deepEqual([mtime.getTime(), uid, gid], [0, 0, 0]);
    const text = await buffer(entry as unknown as Readable);
    if (type === "file") found.set(name, { text, isExecutable: mode === 0o755 });
    else assert.deepEqual([type, mode, name.endsWith("/")], ["directory", 0o755, true]);
  }
  return found;
}

function order(files: [string, Buffer, boolean][], name: string): number {
  return files.findIndex(([other]) => other === name);
}

test("an upload beyond what memory holds, with no folder to keep it in, is not ready", async () => {
  const large = "x".repeat(9 * 1_048_576);
  await assert.rejects(
    readPackage({ kind: "files", files: { large } }, { tempDir: "/nonexistent" }),
    refusal("not_ready", /The upload could not be kept in \/nonexistent: a folder is missing/),
  );
});

test("files by path keep the limits of bytes and entries", async () => {
  const limits = { ...defaultPackageLimits, unpackedBytesMax: 10, entriesMax: 2 };
  const read = (files: Record<string, string>) => readPackage({ kind: "files", files }, { limits });
  await assert.rejects(
    read({ a: "12345", b: "ü".repeat(3) }),
    refusal("package_too_large", /more than 10 bytes: .* entry "b"/),
  );
  await assert.rejects(read({ "a/b/c": "" }), refusal("package_too_large", /more than 2 files/));
  const checked = await read({ "a/b": "1234567890" });
  assert.deepEqual([checked.entries, checked.unpackedBytes], [2, 10]);
  await checked.close();
});
