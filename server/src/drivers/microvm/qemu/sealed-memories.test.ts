import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
  closeSync,
  fstatSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { MiB } from "../../../domain/limits.ts";
import { skipMicrovm } from "../testing/microvm-stand.ts";
import { copySparse } from "./copy-sparse.ts";
import { SealedMemories } from "./sealed-memories.ts";

const source = fileURLToPath(
  new URL("../../../../../images/microvm/host/seal-memory.c", import.meta.url),
);
const PAGE_BYTES = 4096;
const { signal } = new AbortController();

describe("memory that machines begin with", { skip: skipMicrovm }, () => {
  const folder = mkdtempSync(join(tmpdir(), "isola-sealed-"));
  const sealer = join(folder, "seal-memory");
  const written = join(folder, "written");
  const file = join(folder, "memory");
  before(async () => {
    execFileSync("cc", ["-std=gnu17", "-D_GNU_SOURCE", source, "-o", sealer]);
    const bytes = Buffer.alloc(4 * MiB);
    bytes.fill("begin", 0, PAGE_BYTES);
    bytes.fill("in two parts of what is read at once", MiB - PAGE_BYTES, MiB + PAGE_BYTES);
    writeFileSync(written, bytes);
    await copySparse(written, file);
  });
  after(() => rmSync(folder, { recursive: true }));

  test("is on disk without its zeros", () => {
    assert.deepEqual(readFileSync(file), readFileSync(written));
    assert.ok(statSync(file).blocks * 512 <= 4 * PAGE_BYTES, `${statSync(file).blocks} blocks`);
  });

  test("is what is on disk, takes room for that alone, and nobody can change it", async () => {
    const descriptor = await new SealedMemories().open(file, sealer, signal);
    assert.deepEqual(readFileSync(descriptor), readFileSync(file));
    assert.equal(fstatSync(descriptor).blocks * 512, 3 * PAGE_BYTES);
    const writing = openSync(`/proc/self/fd/${descriptor}`, "r+");
    assert.throws(() => writeSync(writing, "x", 0), { code: "EPERM" });
    assert.throws(() => ftruncateSync(writing, 5 * MiB), { code: "EPERM" });
    assert.throws(() => ftruncateSync(writing, PAGE_BYTES), { code: "EPERM" });
    closeSync(writing);
    closeSync(descriptor);
  });

  test("is there once for all, until nobody has begun with it for a while, and anew for another file", async () => {
    const memories = new SealedMemories({ restMs: 300 });
    const inodeOf = async () => {
      const descriptor = await memories.open(file, sealer, signal);
      const { ino } = fstatSync(descriptor, { bigint: true });
      closeSync(descriptor);
      return ino;
    };
    const [one, same] = await Promise.all([inodeOf(), inodeOf()]);
    assert.equal(one, same);
    await delay(500);
    const later = await inodeOf();
    assert.notEqual(later, one);
    writeFileSync(file, Buffer.alloc(4 * MiB, 1));
    assert.notEqual(await inodeOf(), later);
  });

  test("is not said to be there where the disk is too small for it", () => {
    const copying = `import { copySparse } from ${JSON.stringify(new URL("copy-sparse.ts", import.meta.url).href)};
await copySparse(process.argv[1], "/mnt/memory");`;
    const data = join(folder, "data");
    writeFileSync(data, Buffer.alloc(MiB, 1));
    const walls = ["--dev-bind", "/", "/", "--size", String(MiB / 2), "--tmpfs", "/mnt"];
    const node = [process.execPath, "--input-type=module", "-e", copying, data];
    const { status, stderr } = spawnSync("bwrap", [...walls, ...node], { encoding: "utf8" });
    assert.equal(status, 1, stderr);
    assert.match(stderr, /ENOSPC/);
  });

  test("that cannot be had as there are no descriptors left says so, and ends nothing else", () => {
    const opening = `import { closeSync, openSync } from "node:fs";
import { SealedMemories } from ${JSON.stringify(new URL("sealed-memories.ts", import.meta.url).href)};
const [file, sealer] = process.argv.slice(1);
const held = [];
try {
  for (;;) held.push(openSync("/dev/null"));
} catch {}
closeSync(held.pop());
closeSync(held.pop());
const failure = await new SealedMemories().open(file, sealer, new AbortController().signal).catch(({ code }) => code);
for (const descriptor of held) closeSync(descriptor);
await new Promise(setImmediate);
console.log(failure);`;
    const node = [process.execPath, "--input-type=module", "-e", opening, file, sealer];
    const limited = spawnSync("prlimit", ["--nofile=64", ...node], { encoding: "utf8" });
    assert.equal(limited.stdout, "EMFILE\n", limited.stderr);
  });

  test("that a sealer does not come to an end with keeps nobody who has given up, and is given up itself", async () => {
    const hanging = join(folder, "hanging");
    writeFileSync(hanging, "#!/bin/sh\nexec sleep 60\n", { mode: 0o755 });
    const memories = new SealedMemories({ sealMsMax: 1000 });
    const descriptors = () => readdirSync("/proc/self/fd").length;
    const before = descriptors();
    const beganAt = performance.now();
    const other = memories.open(file, hanging, signal);
    const givenUp = memories.open(file, hanging, AbortSignal.timeout(50));
    await assert.rejects(givenUp, /given up/);
    assert.ok(performance.now() - beganAt < 800);
    await assert.rejects(other, /not within 1000 ms/);
    await delay(200);
    assert.ok(descriptors() <= before, `${descriptors()} descriptors, ${before} before`);
    closeSync(await memories.open(file, sealer, signal));
  });

  test("that cannot be had says why, and is tried again", async () => {
    const memories = new SealedMemories();
    await assert.rejects(memories.open(join(folder, "none"), sealer, signal), { code: "ENOENT" });
    await assert.rejects(memories.open(file, join(folder, "none"), signal), { code: "ENOENT" });
    await assert.rejects(
      memories.open(folder, sealer, signal),
      /the sealer ended with 1: .*directory/i,
    );
    closeSync(await memories.open(file, sealer, signal));
  });
});
