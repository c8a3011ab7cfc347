import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, describe, test } from "node:test";
import { type SnapshotKind, Snapshots } from "./snapshots.ts";

const source = {};
const kindOf = (memoryMiB: number, identity = "one"): SnapshotKind => ({
  ...{ runtime: "nodejs26", guestDigest: "d", identity, shape: { memoryMiB, vcpus: 1 } },
});

interface Made {
  snapshots: Snapshots<object>;
  folder: string;
  problems: string[];
  taken: number[];
}

/** A store whose snapshots are 1000 bytes each. */
function stand(t: TestContext, given: { folder?: string; bytesMax?: number } = {}): Made {
  const folder = given.folder ?? mkdtempSync(join(tmpdir(), "isola-snapshots-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const problems: string[] = [];
  const taken: number[] = [];
  const snapshots = new Snapshots<object>({
    ...{ folder, bytesMax: given.bytesMax ?? 10_000, setting: "vmSnapshotsMiBMax" },
    async take({ kind }, into) {
      const { memoryMiB = 0 } = kind.shape;
      taken.push(memoryMiB);
      if (memoryMiB === 13) throw new Error("unlucky");
      writeFileSync(join(into, "state"), Buffer.alloc(1000, memoryMiB));
      return { folder: into, files: ["state"] };
    },
    onProblem: (problem) => problems.push(problem),
  });
  return { snapshots, folder, problems, taken };
}

describe("snapshots", () => {
  test("are made once for all who want the same, and found by this life and the next", async (t) => {
    const { snapshots, folder, taken } = stand(t);
    assert.equal(await snapshots.find(kindOf(1)), null);
    for (let at = 0; at < 3; at += 1) snapshots.want(kindOf(1), source);
    await snapshots.made();
    const found = await snapshots.find(kindOf(1));
    assert.deepEqual(found?.files, ["state"]);
    assert.deepEqual(taken, [1]);
    const next = stand(t, { folder }).snapshots;
    assert.equal((await next.find(kindOf(1)))?.folder, found?.folder);
    assert.equal(await next.find(kindOf(2)), null);
    assert.equal(await next.find(kindOf(1, "another")), null);
  });

  test("that were changed are removed: before they are first used in a life, and after", async (t) => {
    const { snapshots, folder, problems } = stand(t);
    snapshots.want(kindOf(1), source);
    await snapshots.made();
    const path = join((await snapshots.find(kindOf(1)))?.folder as string, "state");
    writeFileSync(path, Buffer.alloc(1000, 9));
    const next = stand(t, { folder });
    assert.equal(await next.snapshots.find(kindOf(1)), null);
    assert.match(next.problems.join(), /state is not what was written/);
    assert.equal(existsSync(path), false);
    assert.equal(await snapshots.find(kindOf(1)), null);
    assert.match(problems.join(), /not as it was/);
  });

  test("that change in the middle of a life are removed", async (t) => {
    const { snapshots, problems } = stand(t);
    snapshots.want(kindOf(1), source);
    await snapshots.made();
    const path = join((await snapshots.find(kindOf(1)))?.folder as string, "state");
    writeFileSync(path, Buffer.alloc(1000, 9));
    assert.equal(await snapshots.find(kindOf(1)), null);
    assert.match(problems.join(), /not as it was when it was checked/);
    assert.equal(existsSync(path), false);
  });

  test("take no more room than there is: the longest unused go", async (t) => {
    const { snapshots, folder, problems } = stand(t, { bytesMax: 2500 });
    for (const size of [1, 2]) {
      snapshots.want(kindOf(size), source);
      await snapshots.made();
    }
    for (const name of readdirSync(folder)) utimesSync(join(folder, name), 1, 1);
    await snapshots.find(kindOf(1));
    snapshots.want(kindOf(3), source);
    await snapshots.made();
    assert.notEqual(await snapshots.find(kindOf(1)), null);
    assert.equal(await snapshots.find(kindOf(2)), null);
    assert.equal(readdirSync(folder).length, 2);
    assert.deepEqual(problems, []);
  });

  test("larger than all of the room are not kept, and none are taken where there is none", async (t) => {
    const { snapshots, folder, problems, taken } = stand(t, { bytesMax: 500 });
    snapshots.want(kindOf(1), source);
    await snapshots.made();
    assert.match(problems.join(), /vmSnapshotsMiBMax/);
    assert.deepEqual([readdirSync(folder), taken], [[], [1]]);
    const none = stand(t, { bytesMax: 0 });
    none.snapshots.want(kindOf(1), source);
    await none.snapshots.made();
    assert.deepEqual(none.taken, []);
  });

  test("that could not be taken leave nothing, and are not tried again at once", async (t) => {
    const { snapshots, folder, problems, taken } = stand(t);
    snapshots.want(kindOf(13), source);
    snapshots.want(kindOf(1), source);
    await snapshots.made();
    snapshots.want(kindOf(13), source);
    await snapshots.made();
    assert.deepEqual(taken, [13, 1]);
    assert.deepEqual(problems, ["no snapshot of nodejs26: unlucky"]);
    assert.equal(readdirSync(folder).length, 1);
  });

  test("of another program, and half made ones, are swept", async (t) => {
    const { snapshots, folder } = stand(t);
    snapshots.want(kindOf(1), source);
    snapshots.want(kindOf(1, "older"), source);
    await snapshots.made();
    writeFileSync(join(folder, "making-x"), "");
    assert.deepEqual(await snapshots.sweep(null), ["snapshot making-x"]);
    writeFileSync(join(folder, "making-y"), "");
    assert.equal((await snapshots.sweep("one")).length, 2);
    assert.equal(readdirSync(folder).length, 1);
    assert.notEqual(await snapshots.find(kindOf(1)), null);
    assert.deepEqual(await snapshots.sweep("one"), []);
  });
});
