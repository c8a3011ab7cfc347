import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { type ImageRuntime, imageInputs, publicBase } from "./image-inputs.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const node: ImageRuntime = { name: "nodejs26", family: "nodejs", version: "26.10.0" };
const python: ImageRuntime = { name: "python3.11", family: "python", version: "3.11.2" };

/** A copy of what images are made of, to be changed. */
function copied(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), "isola-inputs-"));
  t.after(() => rmSync(dir, { recursive: true }));
  for (const name of ["images", "runtimes", "protocol/src"])
    cpSync(join(root, name), join(dir, name), { recursive: true });
  return dir;
}

const of = (folder: string, runtime: ImageRuntime, base = "base:1") =>
  imageInputs({ root: folder, repository: "isola" }, runtime, base);

describe("the inputs of an image", () => {
  test("name it: repository, family, version of the runtime, and twelve digits of their digest", () => {
    const { reference, digest } = of(root, node);
    assert.match(digest, /^[0-9a-f]{64}$/);
    assert.equal(reference, `isola/node:26.10.0-${digest.slice(0, 12)}`);
    assert.match(of(root, python).reference, /^isola\/python:3\.11\.2-[0-9a-f]{12}$/);
    assert.equal(publicBase(node), "node:26-slim");
    assert.equal(publicBase(python), "python:3.11-slim");
  });

  test("are the runtime and nothing of its tests, at the places of the process driver", () => {
    const paths = of(root, node).files.map(({ path }) => path);
    assert.equal(paths[0], "Dockerfile");
    for (const path of ["isola/runtimes/node/main.mjs", "isola/protocol/src/frames.mjs"])
      assert.ok(paths.includes(path), path);
    assert.deepEqual(
      paths.filter((path) => path.endsWith(".ts")),
      [],
    );
    const inPython = of(root, python).files.map(({ path }) => path);
    assert.ok(inPython.includes("isola/runtimes/python/isola_runtime/boot.py"));
    assert.deepEqual(
      inPython.filter((path) => /tests|__pycache__|toml/.test(path)),
      [],
    );
  });

  test("change the name when any of them changes: Dockerfile, runtime, protocol, base, version", (t) => {
    const dir = copied(t);
    const before = of(dir, node).digest;
    assert.equal(before, of(root, node).digest, "the same wherever they are");
    const seen = new Set([before]);
    for (const path of [
      "images/node/Dockerfile",
      "images/etc/passwd",
      "runtimes/node/session.mjs",
      "protocol/src/frames.mjs",
    ]) {
      writeFileSync(join(dir, path), `${readFileSync(join(dir, path), "utf8")}\n`);
      seen.add(of(dir, node).digest);
    }
    writeFileSync(join(dir, "runtimes/node/more.mjs"), "");
    seen.add(of(dir, node).digest);
    seen.add(of(dir, node, "base:2").digest);
    seen.add(of(dir, { ...node, version: "26.10.1" }).digest);
    assert.equal(seen.size, 8);
  });

  test("leave the name as it is when something else changes", (t) => {
    const dir = copied(t);
    const before = [of(dir, node).digest, of(dir, python).digest];
    writeFileSync(join(dir, "runtimes/node/fresh.test.ts"), "");
    writeFileSync(join(dir, "runtimes/python/tests/test_fresh.py"), "");
    writeFileSync(join(dir, "protocol/src/fresh.ts"), "");
    assert.deepEqual([of(dir, node).digest, of(dir, python).digest], before);
  });
});
