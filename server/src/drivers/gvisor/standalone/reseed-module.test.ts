import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { reseedModule } from "./reseed-module.ts";

const skip = process.platform === "linux" && process.arch === "x64" ? false : "needs Linux on x64";

test("the module that has OpenSSL seeded anew loads as often as it is asked for, and what is drawn afterwards goes on", {
  skip,
}, (t) => {
  const folder = mkdtempSync(join(tmpdir(), "isola-reseed-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "reseed.node");
  writeFileSync(path, reseedModule());
  const script = `
    for (let at = 0; at < 3; at += 1) process.dlopen({ exports: {} }, ${JSON.stringify(path)});
    const { generateKeyPairSync, randomBytes } = require("node:crypto");
    generateKeyPairSync("x25519");
    console.log(randomBytes(8).length);`;
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, ["-e", script], {
    encoding: "utf8",
  });
  assert.deepEqual(
    { status, signal, stdout, stderr },
    { ...{ status: 0, signal: null }, stdout: "8\n", stderr: "" },
  );
});
