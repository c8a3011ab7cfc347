import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { test, type TestContext } from "node:test";
import { promisify } from "node:util";
import { refusal } from "./archives.fixture.ts";
import { openArtifactStore } from "./artifact-store.ts";
import { readPackage } from "./read-package.ts";

const NONE = new Set<string>();

test("what was put is read back by its digest, complete and private", async (t) => {
  const { store, dir } = await temporaryStore(t);
  const { artifact, tar } = await put(store, { "index.mjs": "1", "a/b": "22" });
  assert.deepEqual(artifact, {
    digest: createHash("sha256").update(tar).digest("hex"),
    bytes: tar.length,
    entries: 3,
    unpackedBytes: 3,
  });
  assert.ok(tar.equals(await buffer(await store.open(artifact.digest))));
  assert.ok(tar.equals(await store.readAll(artifact.digest)));
  assert.equal(await store.has(artifact.digest), true);
  assert.equal(await store.verify(artifact.digest), true);
  const path = join(dir, artifact.digest.slice(0, 2), `${artifact.digest}.tar`);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.deepEqual(await readdir(join(dir, "tmp")), []);
});

test("what is not there is not found, and no digest leads out of the folder", async (t) => {
  const { store } = await temporaryStore(t);
  for (const digest of ["0".repeat(64), "", "../../etc/passwd", "A".repeat(64)]) {
    assert.equal(await store.has(digest), false);
    await assert.rejects(store.open(digest), refusal("not_found", /not in the artifact folder/));
    await assert.rejects(store.readAll(digest), refusal("not_found", /artifact/));
    await assert.rejects(store.verify(digest), refusal("not_found", /artifact/));
  }
});

test("many puts of the same contents at once leave one file and no other", async (t) => {
  const { store, dir } = await temporaryStore(t);
  const all = await Promise.all(Array.from({ length: 20 }, () => put(store, { a: "same" })));
  assert.equal(new Set(all.map(({ artifact }) => artifact.digest)).size, 1);
  const files = (await readdir(dir, { recursive: true })).filter((name) => name.endsWith(".tar"));
  assert.equal(files.length, 1);
  assert.deepEqual(await readdir(join(dir, "tmp")), []);
});

test("a damaged artifact is noticed, and one of the wrong size is replaced by the next put", async (t) => {
  const { store, dir } = await temporaryStore(t);
  const { artifact, tar } = await put(store, { a: "1" });
  const path = join(dir, artifact.digest.slice(0, 2), `${artifact.digest}.tar`);
  await writeFile(path, "cut short");
  assert.equal(await store.verify(artifact.digest), false);
  await put(store, { a: "1" });
  assert.ok(tar.equals(await readFile(path)));
});

test("garbage is what nothing refers to and what is old enough", async (t) => {
  const { store, dir } = await temporaryStore(t);
  const kept = (await put(store, { a: "kept" })).artifact;
  const old = (await put(store, { a: "old" })).artifact;
  const fresh = (await put(store, { a: "fresh" })).artifact;
  const longAgo = new Date(Date.now() - 3_600_000);
  for (const { digest } of [kept, old]) {
    await utimes(join(dir, digest.slice(0, 2), `${digest}.tar`), longAgo, longAgo);
  }
  for (const name of ["left-over", "under-way"]) await writeFile(join(dir, "tmp", name), "12345");
  await utimes(join(dir, "tmp", "left-over"), longAgo, longAgo);
  await writeFile(join(dir, "notes.txt"), "not ours");
  const report = await store.collectGarbage(new Set([kept.digest]), 600_000);
  assert.deepEqual(report, { artifacts: 1, temporary: 1, bytes: old.bytes + 5 });
  assert.deepEqual(await Promise.all([kept, old, fresh].map(({ digest }) => store.has(digest))), [
    true,
    false,
    true,
  ]);
  assert.deepEqual((await readdir(join(dir, "tmp"))).toSorted(), ["under-way"]);
  assert.ok((await readdir(dir)).includes("notes.txt"));
});

test("an old artifact that is put again is young again", async (t) => {
  const { store, dir } = await temporaryStore(t);
  const { artifact } = await put(store, { a: "1" });
  const path = join(dir, artifact.digest.slice(0, 2), `${artifact.digest}.tar`);
  await utimes(path, 1, 1);
  const [, report] = await Promise.all([
    put(store, { a: "1" }),
    put(store, { a: "1" }).then(() => store.collectGarbage(NONE, 600_000)),
  ]);
  assert.equal(report.artifacts, 0);
  assert.equal(await store.has(artifact.digest), true);
});

test("a put that fails while it is written leaves nothing behind", async (t) => {
  const { store, dir } = await temporaryStore(t);
  const boom = new Error("boom");
  async function* tar() {
    yield Buffer.from("begun");
    throw boom;
  }
  await assert.rejects(store.put({ entries: 1, unpackedBytes: 1, tar }), boom);
  assert.deepEqual(await readdir(dir, { recursive: true }), ["tmp"]);
});

test("a disk that takes no more is not ready, in plain words, and nothing of the put stays", async (t) => {
  const { dir } = await temporaryStore(t);
  const fixture = join(import.meta.dirname, "put-large.fixture.ts");
  const limited = 'ulimit -f 64; trap "" XFSZ; exec "$@"'; // no file above 64 blocks: writing fails as on a full disk
  const child = await promisify(execFile)("sh", [
    "-c",
    limited,
    "sh",
    process.execPath,
    fixture,
    dir,
  ]);
  assert.deepEqual(JSON.parse(child.stdout), {
    code: "not_ready",
    message: "The artifact could not be written: the file system takes no file of this size.",
    cause: "EFBIG",
  });
  assert.deepEqual(await readdir(dir, { recursive: true }), ["tmp"]);
});

test("a folder that has gone is not ready, in plain words", async (t) => {
  const { store, dir } = await temporaryStore(t);
  await rm(join(dir, "tmp"), { recursive: true });
  await assert.rejects(put(store, { a: "1" }), refusal("not_ready", /a folder is missing/));
});

async function temporaryStore(t: TestContext) {
  const dir = await mkdtemp(join(tmpdir(), "isola-artifacts-"));
  t.after(() => rm(dir, { recursive: true }));
  return { store: await openArtifactStore(dir), dir };
}

async function put(
  store: Awaited<ReturnType<typeof openArtifactStore>>,
  files: Record<string, string>,
) {
  const checked = await readPackage({ kind: "files", files });
  try {
    const artifact = await store.put(checked);
    return { artifact, tar: await buffer(checked.tar()) };
  } finally {
    await checked.close();
  }
}
