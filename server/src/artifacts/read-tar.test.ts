import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { canonical, refusal, tarOf, type TarEntry } from "./archives.fixture.ts";
import { defaultPackageLimits } from "./package-limits.ts";
import { readPackage } from "./read-package.ts";

const ok: TarEntry = { name: "ok.mjs", text: "export default 1;" };
const fileTar = await canonical({ kind: "files", files: { "ok.mjs": "export default 1;" } });

describe("a tar", () => {
  const hostile: [title: string, entries: TarEntry[], words: RegExp][] = [
    [
      "a symbolic link",
      [ok, { name: "l", type: "symlink", linkname: "/etc" }],
      /"l" is a symbolic link/,
    ],
    ["a hard link", [ok, { name: "l", type: "link", linkname: "ok.mjs" }], /hard link/],
    ["a device", [ok, { name: "d", type: "block-device" }], /a device/],
    ["a terminal", [ok, { name: "d", type: "character-device" }], /a device/],
    ["a pipe", [ok, { name: "p", type: "fifo" }], /named pipe/],
    ["a parent segment", [ok, { name: "../x", text: "" }], /segment "\.\."/],
    ["a hidden parent segment", [ok, { name: "./../x", text: "" }], /segment "\.\."/],
    ["an absolute path", [ok, { name: "/x", text: "" }], /absolute/],
    ["the root of the machine", [ok, { name: "/", type: "directory" }], /absolute/],
    ["a control character", [ok, { name: "a\nb", text: "" }], /"a\\nb" has a control character/],
    ["a NUL in a long name", [ok, { name: "x", pax: { path: "a\0b" }, text: "" }], /control/],
    ["a name twice", [ok, { ...ok, name: "./ok.mjs" }], /twice/],
    ["a folder twice", [ok, folder("a"), folder("a/")], /twice/],
    ["names that differ in case", [ok, { ...ok, name: "Ok.mjs" }], /same name/],
    ["a sparse file", [ok, { ...ok, name: "s", pax: { "GNU.sparse.major": "1" } }], /sparse/],
    ["a segment too long", [ok, { ...ok, name: `${"x".repeat(256)}/a` }], /longer than 255/],
    ["a path too long", [ok, { ...ok, name: "abcdefghi/".repeat(103) }], /longer than|folder/],
    ["too many levels", [ok, { ...ok, name: `${"a/".repeat(32)}b` }], /deeper than 32/],
    ["no file", [folder("a")], /holds no file/],
  ];
  for (const [title, entries, words] of hostile) {
    test(`with ${title} is refused, gzipped or not`, async () => {
      const bytes = await tarOf(entries);
      const refused = refusal("invalid_package", words);
      await assert.rejects(readPackage({ kind: "tar", bytes }), refused);
      await assert.rejects(readPackage({ kind: "tar", bytes: gzipSync(bytes) }), refused);
    });
  }

  test("with a name that is not UTF-8 is refused", async () => {
    const bytes = await tarOf([{ ...ok, name: "aa.mjs" }]);
    bytes[0] = 0xff;
    bytes.write(octal(checksum(bytes)), 148, "latin1");
    await assert.rejects(
      readPackage({ kind: "tar", bytes }),
      refusal("invalid_package", /not valid UTF-8/),
    );
  });

  test("with a folder that claims contents is refused and does not hang", async () => {
    const bytes = await tarOf([folder("a"), ok]);
    bytes.write("00000001000 ", 124, "latin1");
    bytes.write(octal(checksum(bytes)), 148, "latin1");
    await assert.rejects(
      readPackage({ kind: "tar", bytes }),
      refusal("invalid_package", /folder with contents/),
    );
  });

  test("cut short anywhere before its end mark is refused, gzipped or not", async () => {
    const entries = [ok, { name: "b", text: "b".repeat(600) }, folder("c")];
    const whole = await tarOf(entries);
    for (let length = 512; length <= whole.length - 1024; length += 128) {
      const bytes = whole.subarray(0, length);
      await assert.rejects(
        readPackage({ kind: "tar", bytes }),
        refusal("invalid_package", /cut short/),
      );
    }
    const gzipped = gzipSync(whole);
    for (let length = 3; length < gzipped.length; length += 1) {
      const bytes = gzipped.subarray(0, length);
      await assert.rejects(
        readPackage({ kind: "tar", bytes }),
        refusal("invalid_package", /cut short/),
      );
    }
  });

  test("with other data behind its end mark is refused", async () => {
    for (const rest of ["x", "x".repeat(512)]) {
      const bytes = Buffer.concat([await tarOf([ok]), Buffer.from(rest)]);
      await assert.rejects(
        readPackage({ kind: "tar", bytes }),
        refusal("invalid_package", /damaged/),
      );
    }
  });

  test("with any one byte of a header changed is refused or read, and fails in no other way", async () => {
    const whole = await tarOf([{ ...ok, name: "é".repeat(60) }, folder("a")]);
    for (let at = 0; at < 512 * 3; at += 1) {
      const bytes = Buffer.from(whole);
      bytes[at] = (bytes[at] ?? 0) ^ 0x81;
      const checked = await readPackage({ kind: "tar", bytes }).catch(
        refusal("invalid_package", /./),
      );
      if (checked !== true) await checked.close();
    }
  });

  test("that unpacks to more than the limit is too large, whatever it claims", async () => {
    const limits = { ...defaultPackageLimits, unpackedBytesMax: 100 };
    const bytes = await tarOf([
      { name: "a", text: "x".repeat(60) },
      { name: "b", text: "y".repeat(60) },
    ]);
    await assert.rejects(
      readPackage({ kind: "tar", bytes }, { limits }),
      refusal("package_too_large", /"b"/),
    );
  });

  test("with too many entries is too large", async () => {
    const limits = { ...defaultPackageLimits, entriesMax: 3 };
    const bytes = await tarOf([..."abcd"].map((name) => ({ name, text: "" })));
    await assert.rejects(
      readPackage({ kind: "tar", bytes }, { limits }),
      refusal("package_too_large", /more than 3/),
    );
  });

  test("gzipped to a bomb is refused, and one of endless headers too", async () => {
    const zeros = gzipSync(await tarOf([{ name: "zeros", text: Buffer.alloc(20 * 1_048_576) }]));
    await assert.rejects(
      readPackage({ kind: "tar", bytes: zeros }),
      refusal("invalid_package", /200 times/),
    );
    const limits = { packageBytesMax: 1e6, unpackedBytesMax: 1000, entriesMax: 2 };
    const padding = Buffer.concat([await tarOf([ok]), Buffer.alloc(100_000)]);
    await assert.rejects(
      readPackage({ kind: "tar", bytes: gzipSync(padding) }, { limits }),
      refusal("package_too_large", /unpacks to more than \d+ bytes/),
    );
  });

  test("as people's tools make it is taken: a leading ./, long names, no folders of its own, modes kept as executable or not", async () => {
    const long = `${"long-".repeat(30)}/${"name-".repeat(30)}.mjs`;
    const bytes = await tarOf([
      { name: "./", type: "directory" },
      { name: "./bin/run", text: "#!/bin/sh", mode: 0o775, uid: 1000, uname: "me" },
      { name: `./${long}`, text: "1", mode: 0o600, mtime: new Date() },
    ]);
    const checked = await readPackage({ kind: "tar", bytes });
    assert.equal(checked.entries, 4);
    assert.equal(checked.unpackedBytes, 10);
    const again = await canonical({ kind: "tar", bytes: gzipSync(bytes) });
    await checked.close();
    assert.deepEqual(await canonical({ kind: "tar", bytes: again }), again);
    assert.equal(again.toString("latin1", 0, 4), "bin/");
    assert.equal(again.toString("latin1", 512, 519), "bin/run");
    assert.equal(again.toString("latin1", 512 + 100, 512 + 106), "000755");
  });

  test("in a file is read from there, in memory or beyond it", async (t) => {
    const dir = await mkdtemp(join(tmpdir(), "isola-tar-"));
    t.after(() => rm(dir, { recursive: true }));
    const path = join(dir, "upload");
    await writeFile(path, gzipSync(await tarOf([ok])));
    assert.deepEqual(await canonical({ kind: "archive", path }), fileTar);
    const large = Array.from({ length: 20 }, (_, index) => ({
      name: `f${index}`,
      text: Buffer.alloc(1_000_000, index),
    }));
    await writeFile(path, await tarOf(large.toReversed()));
    const checked = await canonical({ kind: "tar", path });
    const expected = await canonical({ kind: "tar", bytes: await tarOf(large) });
    assert.ok(checked.equals(expected));
    assert.equal(checked.length, 20 * (1_000_448 + 512 - 0) + 1024);
  });
});

test("an upload that is no archive is refused with what it seems to be", async () => {
  const given: [bytes: Buffer, kind: "zip" | "tar" | "archive", words: RegExp][] = [
    [Buffer.alloc(0), "archive", /zip archive or a tar.*nothing \(0 bytes\)/],
    [Buffer.from("export default 1;\n"), "archive", /it is text/],
    [Buffer.from("7f454c4602010100", "hex"), "archive", /an ELF program/],
    [Buffer.from("28b52ffd00", "hex"), "tar", /a zstd file/],
    [gzipSync("x"), "zip", /should be a zip archive; .* a gzipped file/],
    [await tarOf([ok]), "zip", /a tar archive/],
    [Buffer.from("504b0304", "hex"), "tar", /a zip archive/],
    [Buffer.alloc(600), "archive", /unknown kind/],
  ];
  for (const [bytes, kind, words] of given) {
    await assert.rejects(readPackage({ kind, bytes }), refusal("invalid_package", words));
  }
});

function folder(name: string): TarEntry {
  return { name, type: "directory" };
}

function checksum(header: Buffer): number {
  return header.subarray(0, 512).reduce((sum, byte, at) => {
    return sum + (at >= 148 && at < 156 ? 32 : byte);
  }, 0);
}

function octal(value: number): string {
  return `${value.toString(8).padStart(6, "0")}\0 `;
}
