import assert from "node:assert/strict";
import { test } from "node:test";
import { LEAST_VERSION, type Version, isAtLeast, parseVersion, takesBzImage } from "./versions.ts";

test("a version is read out of what the programs say", () => {
  assert.deepEqual(parseVersion("Firecracker v1.17.0-dev\n\n"), {
    ...{ major: 1, minor: 17, patch: 0, text: "1.17.0-dev" },
  });
  assert.equal(parseVersion("Jailer v1.16.1\n\n")?.text, "1.16.1");
  for (const text of ["", "Firecracker\n", "QEMU emulator version 7.2.22\n", "Firecracker v1.x\n"])
    assert.equal(parseVersion(text), null);
});

test("the least version is 1.16.1, and bzImages are for 1.17 and later", () => {
  const of = (text: string) => parseVersion(`Firecracker v${text}\n`) as Version;
  const enough = ["1.16.1", "1.16.2", "1.17.0-dev", "2.0.0"];
  const tooOld = ["0.99.9", "1.9.9", "1.16.0"];
  for (const text of enough) assert(isAtLeast(of(text), LEAST_VERSION), text);
  for (const text of tooOld) assert(!isAtLeast(of(text), LEAST_VERSION), text);
  assert.deepEqual(
    enough.map((text) => takesBzImage(of(text))),
    [false, false, true, true],
  );
});
