import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { skipMicrovm } from "../testing/microvm-stand.ts";
import { findContainment } from "./containment.ts";

/** In QEMU's place: gives memory that nobody can write to, as the memory that machines begin with is, an attribute. */
const source = `
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/xattr.h>
int main(void) {
  int memory = memfd_create("memory", MFD_ALLOW_SEALING);
  if (fcntl(memory, F_ADD_SEALS, F_SEAL_WRITE) < 0) return 1;
  puts(fsetxattr(memory, "user.left", "for others", 10, 0) == 0 ? "set" : strerror(errno));
}`;

test("a VMM cannot leave anything for others at memory that it shares with them", {
  skip: skipMicrovm,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), "isola-filter-"));
  try {
    chmodSync(folder, 0o755);
    const path = join(folder, "vmm");
    const compiler = ["-x", "c", "-D_GNU_SOURCE", "-o", path, "-"];
    execFileSync("cc", compiler, { input: source });
    const how = { isLeftOut: false, device: null };
    const found = await findContainment({ path, version: "" }, how);
    assert.equal(found.problem, null);
    const [bwrap = "", ...args] = found.prefix(0);
    const input = found.filter as Buffer;
    const { stdout, stderr } = spawnSync(bwrap, [...args, path], { input, encoding: "utf8" });
    assert.equal(stdout, "Operation not permitted\n", stderr);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
