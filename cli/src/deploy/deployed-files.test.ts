import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { readPackage } from "../../../server/src/artifacts/read-package.ts";
import { filesOfTar } from "./deployed-files.ts";
import { digestOf } from "./package-digest.ts";
import { readPackageFiles, zipOf } from "./package-files.ts";

test("what the server makes of a package reads back as the same files", async (t) => {
  const dir = mkdtempSync(join(tmpdir(), "isola-package-"));
  t.after(() => rmSync(dir, { recursive: true }));
  const paths = ["index.mjs", "empty", "bin/run", `${"long/".repeat(30)}file`, "ünï/名前.txt"];
  for (const path of paths) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), path === "empty" ? "" : path.repeat(100));
  }
  chmodSync(join(dir, "bin/run"), 0o755);
  const files = readPackageFiles(dir);
  const checked = await readPackage({ kind: "zip", bytes: await zipOf(files) });
  t.after(() => checked.close());
  const chunks: Buffer[] = [];
  for await (const chunk of checked.tar()) chunks.push(chunk);
  const deployed = filesOfTar(Buffer.concat(chunks));
  assert.deepEqual(deployed.map(({ path }) => path).sort(), [...paths].sort());
  const digest = createHash("sha256").update(Buffer.concat(chunks)).digest("hex");
  assert.equal(await digestOf(files), digest);
  assert.equal(await digestOf(deployed), digest);
  chmodSync(join(dir, "index.mjs"), 0o755);
  assert.notEqual(await digestOf(readPackageFiles(dir)), digest);
});

test("a tar that is cut off is refused", () => {
  const header = Buffer.alloc(512);
  header.write("a", 0);
  header.write("00000002000", 124);
  assert.throws(() => filesOfTar(header), /not a tar/);
});
