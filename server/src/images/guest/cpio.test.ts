import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type CpioEntry, cpioArchive } from "./cpio.ts";

const entries: CpioEntry[] = [
  { path: "dev", mode: 0o755, content: "folder" },
  { path: "dev/console", mode: 0o600, content: { major: 5, minor: 1 } },
  { path: "init", mode: 0o755, content: Buffer.from("12345") },
];

/** Fields of the header that stands at a place. */
function headerAt(archive: Buffer, at: number): { magic: string; numbers: number[] } {
  const text = archive.toString("latin1", at, at + 110);
  const numbers =
    text
      .slice(6)
      .match(/.{8}/g)
      ?.map((each) => Number.parseInt(each, 16)) ?? [];
  return { magic: text.slice(0, 6), numbers };
}

describe("an archive for the kernel", () => {
  test("is the same bytes for the same entries", () => {
    assert.equal(cpioArchive(entries).equals(cpioArchive(structuredCopy())), true);
  });

  test("has kind, mode, size and device of each entry, and parts that begin at multiples of four", () => {
    const archive = cpioArchive(entries);
    const found: unknown[] = [];
    for (let at = 0; at < archive.length; ) {
      assert.equal(at % 4, 0);
      const { magic, numbers } = headerAt(archive, at);
      assert.equal(magic, "070701");
      const [, mode = 0, , , , , size = 0, , , major, minor, nameSize = 0] = numbers;
      const name = archive.toString("latin1", at + 110, at + 110 + nameSize - 1);
      const start = at + Math.ceil((110 + nameSize) / 4) * 4;
      found.push([
        name,
        mode.toString(8),
        archive.toString("latin1", start, start + size),
        major,
        minor,
      ]);
      at = start + Math.ceil(size / 4) * 4;
    }
    assert.deepEqual(found, [
      ["dev", "40755", "", 0, 0],
      ["dev/console", "20600", "", 5, 1],
      ["init", "100755", "12345", 0, 0],
      ["TRAILER!!!", "0", "", 0, 0],
    ]);
  });
});

function structuredCopy(): CpioEntry[] {
  return entries.map(({ path, mode, content }) => ({
    ...{ path, mode },
    content: Buffer.isBuffer(content) ? Buffer.from(content) : content,
  }));
}
