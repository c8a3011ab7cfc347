import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { MiB, fixedLimits } from "../../../domain/limits.ts";
import type { RuntimeSpec } from "../../driver.ts";
import { bundleFor, configOf, writeBundle } from "./bundle.ts";
import { type RunscDeed, runscCommand } from "./runsc-command.ts";

const runtime = {
  ...{ name: "nodejs26", family: "nodejs", executable: "/usr/bin/node" },
  args: ["{runtime}/main.mjs"],
} as RuntimeSpec;
const limits = { memoryBytes: 128 * MiB, pidsMax: fixedLimits.processesMax };
const spec = { id: "sb-1", runtime, limits, tmpBytes: 64 * MiB };
const config = configOf("/state/sb-1", bundleFor(spec, "/kept/image.erofs", false));

describe("the bundle of a sandbox", () => {
  test("is an image of which the host shows nothing, read-only, and folders in memory", () => {
    assert.deepEqual(config.root, { path: "/state/sb-1/empty", readonly: true });
    assert.equal(config.annotations["dev.gvisor.spec.rootfs.source"], "/kept/image.erofs");
    assert.deepEqual([...new Set(config.mounts.map(({ type }) => type))], ["proc", "tmpfs"]);
    for (const { destination, type, options } of config.mounts) {
      for (const option of ["nosuid", "nodev"]) assert(options.includes(option), destination);
      if (type === "tmpfs") assert.match(options.join(), /size=\d/, destination);
    }
    const writable = config.mounts.filter(({ options }) => !options.includes("ro"));
    const names = writable.map(({ destination }) => destination);
    assert.deepEqual(names, ["/tmp", "/var/task", "/dev/shm"]);
  });

  test("starts the runtime behind the first process, as nobody and without rights", () => {
    const { args, user, capabilities, noNewPrivileges, rlimits } = config.process;
    const runtimeDir = "/opt/isola/runtimes/node";
    const command = ["/opt/isola/bin/init", "/opt/isola/bin/node", `${runtimeDir}/main.mjs`];
    assert.deepEqual(args, command);
    assert.deepEqual(user, { uid: 65534, gid: 65534 });
    assert.deepEqual(capabilities, {});
    assert.equal(noNewPrivileges, true);
    const byType = Object.fromEntries(rlimits.map(({ type, hard }) => [type, hard]));
    const expected = { RLIMIT_NOFILE: fixedLimits.openFilesMax, RLIMIT_CORE: 0, RLIMIT_NPROC: 65 };
    assert.deepEqual(byType, expected);
  });

  test("that is to be saved stands still before it says anything, and begins anew what OpenSSL draws", () => {
    const envOf = (of: RuntimeSpec) =>
      bundleFor({ ...spec, runtime: of }, "/kept/image.erofs", true).env;
    const gate = ["ISOLA_CONTROL=fd:3", "ISOLA_GATE=fd:3"];
    assert.deepEqual(envOf(runtime), [...gate, "ISOLA_RESEED=/opt/isola/bin/reseed.node"]);
    // Python's own module does it.
    assert.deepEqual(envOf({ ...runtime, family: "python" }), gate);
    assert.deepEqual(bundleFor(spec, "/kept/image.erofs", false).env, ["ISOLA_CONTROL=fd:3"]);
  });

  test("has a socket of the platform read-only, and only who was given one", () => {
    const sockets = [{ from: "/run/platform.sock", at: "/opt/isola/platform.sock" }];
    const equipment = { hasTools: false, sockets };
    const { mounts } = configOf(
      "/state",
      bundleFor({ ...spec, equipment }, "/kept/image.erofs", false),
    );
    const binds = mounts.filter(({ type }) => type === "bind");
    assert.equal(binds.length, 1);
    assert.equal(binds[0]?.source, "/run/platform.sock");
    assert(binds[0]?.options.includes("ro"));
  });

  test("is written for this user alone", async (t) => {
    const parent = mkdtempSync(join(tmpdir(), "isola-bundle-"));
    t.after(() => rmSync(parent, { recursive: true }));
    const folder = join(parent, "sb-1");
    await writeBundle(folder, bundleFor(spec, "/kept/image.erofs", false));
    assert.equal(statSync(folder).mode & 0o777, 0o700);
    assert.equal(statSync(join(folder, "empty")).mode & 0o777, 0o555);
    const written = JSON.parse(readFileSync(join(folder, "config.json"), "utf8"));
    assert.equal(written.linux.seccomp.defaultAction, "SCMP_ACT_TRACE");
  });
});

test("runsc is told what a sandbox may reach, and of sockets only where one is mounted", () => {
  const call = { path: "/usr/bin/runsc", platform: "systrap", folder: "/state/sb-1" } as const;
  const deed = { name: "run" } as const;
  const command = runscCommand({ ...call, mark: "isola.n.b.sb-1", hasSockets: false, deed });
  for (const flag of [
    "--network=none",
    "--host-uds=none",
    "--oci-seccomp=true",
    "--host-fifo=none",
  ])
    assert(command.includes(flag), flag);
  for (const flag of ["--directfs=false", "--overlay2=none", "--platform=systrap"])
    assert(command.includes(flag), flag);
  assert.equal(command.at(-1), "isola.n.b.sb-1");
  const withSocket = runscCommand({ ...call, mark: "m", hasSockets: true, deed });
  assert(withSocket.includes("--host-uds=open"));
});

test("runsc is told the same where a sandbox is saved, or goes on from another", () => {
  const call = { path: "/usr/bin/runsc", platform: "systrap", folder: "/state/sb-1" } as const;
  const of = (deed: RunscDeed) => runscCommand({ ...call, mark: "m", hasSockets: false, deed });
  const run = of({ name: "run" });
  for (const name of ["checkpoint", "restore"] as const) {
    const command = of({ name, saved: "/kept/s" });
    const left = run.filter((each) => each.includes("=") && !command.includes(each));
    assert.deepEqual(left, []);
    assert(command.includes("--image-path=/kept/s"), name);
    assert.deepEqual(command.slice(-1), ["m"]);
  }
});
