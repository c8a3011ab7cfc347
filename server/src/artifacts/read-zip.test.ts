import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { canonical, rawZip, refusal, zipOf, type RawZipEntry } from "./archives.fixture.ts";
import { defaultPackageLimits } from "./package-limits.ts";
import { IsolaError } from "../errors.ts";
import { readPackage, type CheckedPackage } from "./read-package.ts";

const S = {
  symlink: 0o120777,
  device: 0o060644,
  fifo: 0o010644,
  socket: 0o140644,
  folder: 0o040755,
};
const ok: RawZipEntry = { name: "ok.mjs", text: "export default 1;" };

describe("a zip", () => {
  const hostile: [title: string, zip: Buffer, words: RegExp][] = [
    [
      "a parent segment",
      rawZip([ok, { name: "a/../../b" }]),
      /"a\/\.\.\/\.\.\/b" has the segment "\.\."/,
    ],
    ["a parent segment at the end", rawZip([ok, { name: "a/.." }]), /the segment "\.\."/],
    [
      "an absolute path",
      rawZip([ok, { name: "/etc/passwd" }]),
      /"\/etc\/passwd" is an absolute path/,
    ],
    ["a drive letter", rawZip([ok, { name: "C:/x" }]), /drive letter/],
    ["a backslash", rawZip([ok, { name: "a\\b" }]), /backslash/],
    ["an empty segment", rawZip([ok, { name: "a//b" }]), /empty segment/],
    ["a dot segment", rawZip([ok, { name: "a/./b" }]), /segment "\."/],
    ["a NUL", rawZip([ok, { name: "a\0b" }]), /control character/],
    [
      "a terminal escape",
      rawZip([ok, { name: "a\u001b[2Jb" }]),
      /^entry "a\\u001b\[2Jb" .*control/,
    ],
    ["no name", rawZip([ok, { name: "" }]), /no name/],
    ["a name that is not UTF-8", rawZip([ok, { name: Buffer.from("ff41", "hex") }]), /UTF-8/],
    ["a name twice", rawZip([ok, ok]), /"ok\.mjs" is in the package twice/],
    ["names that differ in case", rawZip([ok, { name: "OK.mjs" }]), /same name as "ok\.mjs"/],
    [
      "names that differ in the form of an accent",
      rawZip([{ name: "\u00e9" }, { name: "e\u0301" }]),
      /same name as/,
    ],
    ["folders that differ in case", rawZip([{ name: "A/x" }, { name: "a/y" }]), /same name as "A"/],
    ["a file below a file", rawZip([ok, { name: "ok.mjs/x" }]), /folder that is also a file/],
    ["a file in the place of a folder", rawZip([{ name: "a/b" }, { name: "a" }]), /twice/],
    [
      "a symbolic link",
      rawZip([ok, { name: "l", text: "/etc", mode: S.symlink }]),
      /symbolic link/,
    ],
    ["a device", rawZip([ok, { name: "d", mode: S.device }]), /special file/],
    ["a pipe", rawZip([ok, { name: "p", mode: S.fifo }]), /special file/],
    ["a socket", rawZip([ok, { name: "s", mode: S.socket }]), /special file/],
    [
      "a folder type under a file's name",
      rawZip([ok, { name: "f", mode: S.folder }]),
      /not by both/,
    ],
    [
      "a folder with contents",
      rawZip([ok, { name: "f/", text: "x", mode: S.folder }]),
      /folder with contents/,
    ],
    ["an encrypted entry", rawZip([{ ...ok, flags: 0x801 }]), /is encrypted/],
    ["strong encryption", rawZip([{ ...ok, flags: 0x841 }]), /encrypt/],
    ["an unknown method", rawZip([{ ...ok, method: 14 }]), /method 14/],
    ["a size that is too small", rawZip([{ ...ok, claimedBytes: 3 }]), /too many bytes/],
    [
      "a size of nothing for a byte",
      rawZip([{ name: "a", text: "x", claimedBytes: 0 }]),
      /too many/,
    ],
    ["a size that is too large", rawZip([{ ...ok, claimedBytes: 300 }]), /not enough bytes/],
    ["a wrong checksum", rawZip([{ ...ok, claimedCrc: 1 }]), /checksum/],
    ["two names for one entry", rawZip([{ ...ok, localName: "no.mjs" }]), /another name/],
    ["entries that share bytes", rawZip([ok, { ...ok, sharesWith: 0 }]), /shares bytes/],
    [
      "data before it",
      rawZip([ok], { before: Buffer.from("PK\x03\x04 hidden") }),
      /before its first/,
    ],
    ["data after it", rawZip([ok], { after: Buffer.from("x") }), /extra bytes at the end/],
    ["an entry that is not counted", rawZip([ok, { name: "b" }], { count: 1 }), /not account for/],
    ["an entry too many counted", rawZip([ok], { count: 2 }), /cannot be read/],
    ["no entries", rawZip([]), /holds no file/],
    ["folders only", rawZip([{ name: "a/", mode: S.folder }]), /holds no file/],
  ];
  for (const [title, bytes, words] of hostile) {
    test(`with ${title} is refused`, async () => {
      await assert.rejects(readPackage({ kind: "zip", bytes }), refusal("invalid_package", words));
    });
  }

  test("cut at any byte is refused", async () => {
    const whole = await zipOf([["index.mjs", Buffer.from("export default 1;".repeat(9))]]);
    for (let length = 0; length < whole.length; length += 1) {
      const bytes = whole.subarray(0, length);
      await assert.rejects(readPackage({ kind: "zip", bytes }), refusal("invalid_package", /./));
    }
  });

  test("with any one byte changed is refused or read, and fails in no other way", async () => {
    const files: [string, Buffer][] = [["b/c.txt", Buffer.from("y".repeat(50))]];
    const wholes = [
      rawZip([ok]),
      await zipOf(files),
      await zipOf(files, { forceZip64Format: true }),
    ];
    for (const whole of wholes) {
      for (let at = 0; at < whole.length; at += 1) {
        const bytes = Buffer.from(whole);
        bytes[at] = (bytes[at] ?? 0) ^ 0xff;
        const result = await readPackage({ kind: "zip", bytes }).catch((error: unknown) => error);
        if (!(result instanceof Error)) await (result as CheckedPackage).close();
        else if (!(result instanceof IsolaError) || result.blame !== "caller") throw result;
      }
    }
  });

  test("that unpacks to more than the limit is too large, by its claim and by what comes", async () => {
    const limits = { ...defaultPackageLimits, unpackedBytesMax: 100 };
    const honest = rawZip([
      { name: "a", text: "x".repeat(60) },
      { name: "b", text: "x".repeat(60) },
    ]);
    await assert.rejects(
      readPackage({ kind: "zip", bytes: honest }, { limits }),
      refusal("package_too_large", /more than 100 bytes.*"b"/),
    );
    const lying = rawZip([{ name: "a", text: "x".repeat(60_000), claimedBytes: 10 }]);
    await assert.rejects(
      readPackage({ kind: "zip", bytes: lying }, { limits }),
      refusal("invalid_package", /too many bytes/),
    );
  });

  test("that is a bomb is refused before it is unpacked", async () => {
    const bomb = await zipOf([["zeros", Buffer.alloc(17 * 1_048_576)]]);
    assert.ok(bomb.length < 20_000);
    await assert.rejects(
      readPackage({ kind: "zip", bytes: bomb }),
      refusal("invalid_package", /200 times/),
    );
  });

  test("with too many entries is too large, folders that only show in paths included", async () => {
    const limits = { ...defaultPackageLimits, entriesMax: 5 };
    const many = rawZip("abcdef".split("").map((name) => ({ name })));
    const deep = rawZip([{ name: "a/b/c/d/e/f" }]);
    for (const bytes of [many, deep]) {
      await assert.rejects(
        readPackage({ kind: "zip", bytes }, { limits }),
        refusal("package_too_large", /more than 5 files and folders/),
      );
    }
    await canonical({ kind: "zip", bytes: rawZip([{ name: "a/b/c/d/e" }]) }, limits);
  });

  test("larger than the limit is refused unread", async () => {
    const bytes = rawZip([ok]);
    const limits = { ...defaultPackageLimits, packageBytesMax: bytes.length - 1 };
    await assert.rejects(
      readPackage({ kind: "zip", bytes }, { limits }),
      refusal("package_too_large", /has \d+ bytes, the limit is/),
    );
  });

  test("with large entries is read as a stream, under the same rules", async () => {
    const text = Array.from({ length: 60_000 }, (_, index) => `line ${index}\n`).join("");
    const read = (entry: RawZipEntry) => readPackage({ kind: "zip", bytes: rawZip([entry]) });
    const large = { name: "large", text };
    assert.ok(
      (await canonical({ kind: "zip", bytes: rawZip([large]) })).equals(
        await canonical({ kind: "files", files: { large: text } }),
      ),
    );
    const lies: [RawZipEntry, RegExp][] = [
      [{ ...large, claimedBytes: text.length - 1 }, /too many bytes/],
      [{ ...large, claimedBytes: text.length + 1 }, /not enough bytes/],
      [{ ...large, claimedCrc: 1 }, /checksum/],
    ];
    for (const [entry, words] of lies) {
      await assert.rejects(read(entry), refusal("invalid_package", words));
    }
  });

  test("in the 64-bit format is taken", async () => {
    const files: [string, Buffer][] = [["a.txt", Buffer.from("a")]];
    const bytes = await zipOf(files, { forceZip64Format: true });
    assert.ok(bytes.includes(Buffer.from("504b0606", "hex")));
    assert.deepEqual(
      await canonical({ kind: "zip", bytes }),
      await canonical({ kind: "files", files: { "a.txt": "a" } }),
    );
  });
});
