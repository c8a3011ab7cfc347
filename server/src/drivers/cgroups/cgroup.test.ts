import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, readFileSync } from "node:fs";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type TestContext, describe, test } from "node:test";
import { MiB } from "../../domain/limits.ts";
import { findFolders } from "./cgroup-files.ts";
import { CgroupTreeV2 } from "./cgroup-v2.ts";
import type { Cgroup, CgroupTree } from "./cgroup.ts";
import { findCgroups } from "./find-cgroups.ts";

const name = `isola-test-${process.pid}`;

/** A shell in the group, with a child in a session of its own; resolves once both are there. */
async function startInside(cgroup: Cgroup): Promise<ChildProcess> {
  const entries = cgroup.openEntries();
  const enter = entries.map((_, at) => `echo 0 >&${3 + at}`).join(" && ");
  const child = spawn("/bin/sh", ["-c", `${enter} || exit 96; setsid sleep 600 & echo in; wait`], {
    stdio: ["ignore", "pipe", "inherit", ...entries],
  });
  for (const entry of entries) closeSync(entry);
  await once(child.stdout as NonNullable<typeof child.stdout>, "data");
  return child;
}

async function usedAndRemoved(tree: CgroupTree, t: TestContext): Promise<void> {
  const cgroup = tree.create(name);
  t.after(() => cgroup.remove());
  assert.equal(cgroup.isEmpty(), true);
  const child = await startInside(cgroup);
  assert.equal(cgroup.isEmpty(), false);
  assert.match(readFileSync(`/proc/${child.pid}/cgroup`, "utf8"), new RegExp(name));
  assert.throws(() => cgroup.remove());
  cgroup.killAll(false);
  await once(child, "exit");
  for (let pass = 1; !cgroup.isEmpty(); pass += 1) {
    assert(pass < 1000, "the group does not get empty");
    cgroup.killAll(true);
    await delay(1);
  }
  assert.deepEqual((await tree.leftovers((each) => each === name)).length, 1);
  cgroup.remove();
  assert.deepEqual(await tree.leftovers((each) => each === name), []);
  cgroup.remove();
  cgroup.killAll(true);
  assert.equal(cgroup.isEmpty(), true);
}

const unified = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"].find((folder) =>
  existsSync(`${folder}/cgroup.subtree_control`),
);
const { tree } = findCgroups();
const noTree = "control groups are not available: run as root, or with systemd's Delegate=yes";
const noUnified = "no cgroup v2 is mounted: mount -t cgroup2 none /sys/fs/cgroup/unified";

describe("a cgroup", () => {
  test(
    "of this machine is entered, killed as a whole and removed",
    { skip: tree === null ? noTree : false },
    async (t) => usedAndRemoved(tree as CgroupTree, t),
  );

  test("of this machine takes limits up and down, and reads them back", {
    skip: tree === null ? noTree : false,
  }, (t) => {
    const cgroup = (tree as CgroupTree).create(`${name}-limits`);
    t.after(() => cgroup.remove());
    for (const memoryBytes of [128 * MiB, 512 * MiB, 64 * MiB + 1])
      cgroup.setLimits({ memoryBytes, pidsMax: 10 });
    assert.throws(() => cgroup.setLimits({ memoryBytes: 64 * MiB, pidsMax: -5 }));
    assert.equal(cgroup.oomKills(), 0);
    assert.equal(cgroup.usage().pids, 0);
  });

  const hasCpu = tree?.controllers.includes("cpu") === true;
  test("of this machine weighs a tenth of the server where processors are not enough, and as much while it is killed", {
    skip: hasCpu ? false : "the cpu controller is not available",
  }, async (t) => {
    const cgroup = (tree as CgroupTree).create(`${name}-weight`);
    t.after(() => cgroup.remove());
    const folders = await findFolders("/sys/fs/cgroup", (each) => each === `${name}-weight`);
    const file = tree?.version === "v2" ? "cpu.weight" : "cpu.shares";
    const own = folders.map((folder) => join(folder, file)).find((path) => existsSync(path));
    const ofServer = tree?.version === "v2" ? 100 : 1024;
    const weight = () => Number(readFileSync(own as string, "utf8"));
    assert.equal(Math.round(ofServer / weight()), 10);
    cgroup.killAll(false);
    assert.equal(Math.round(ofServer / weight()), 10);
    cgroup.killAll(true);
    assert.equal(weight(), ofServer);
  });

  const canTryV2 = unified !== undefined && process.getuid?.() === 0;
  test("of version 2 is entered, killed as a whole and removed", {
    skip: canTryV2 ? false : noUnified,
  }, async (t) => {
    const place = { mountPoint: unified as string, parent: unified as string, controllers: [] };
    await usedAndRemoved(new CgroupTreeV2(place), t);
  });
});
