import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { findRuntimes } from "./runtimes.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const isLinux = process.platform === "linux";

describe("runtimes", () => {
  test("the server's own Node is one, named for its major version", async () => {
    const [node] = await findRuntimes({ root, python: null });
    assert.equal(node?.name, `nodejs${process.versions.node.split(".")[0]}`);
    assert.equal(node?.version, process.versions.node);
    for (const { from } of node?.companions ?? []) assert(existsSync(from), from);
  });

  test("each brings its loader and the C library", { skip: !isLinux && "Linux only" }, async () => {
    for (const { name, needs } of await findRuntimes({ root, python: null })) {
      assert(
        needs.some((path) => /\/ld-[^/]+$/.test(path)),
        `${name}: ${needs}`,
      );
      assert(
        needs.some((path) => /\/libc\b[^/]*$/.test(path)),
        `${name}: ${needs}`,
      );
      for (const path of ["/", "/usr", "/usr/bin", "/etc", "/lib", "/usr/lib"])
        assert.equal(needs.includes(path), false, `${name} must not bring ${path}`);
    }
  });

  test("a Python that was asked for and does not do is refused with the reason", async () => {
    const asked = findRuntimes({ root, python: "/nonexistent/python3" });
    await assert.rejects(asked, { code: "invalid_settings", message: /ENOENT/ });
    const wrong = findRuntimes({ root, python: process.execPath });
    await assert.rejects(wrong, { code: "invalid_settings" });
  });
});
