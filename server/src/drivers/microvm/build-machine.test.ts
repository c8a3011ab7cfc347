import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { lazyDriver } from "../../keeper/testing/lazy-driver.ts";
import { Session, destroyed } from "../conformance/session.ts";
import type { Equipment, RuntimeSpec } from "../driver.ts";
import { findRuntimes } from "../runtimes.ts";
import { dockerSettings } from "../testing/docker-settings.ts";
import { linkGuests } from "../testing/test-guest.ts";
import { equipmentOf } from "./equipment.ts";
import { standInPrograms } from "./testing/firecracker-programs.ts";
import { isWhole, skipMicrovm } from "./testing/microvm-stand.ts";
import type { GuestFiles } from "./vmm.ts";

const at = "/opt/isola/registries.sock";
/** Several times what one side may send without hearing of it, over as many connections as an installer has. */
const event = { at, connections: 4, bytes: 200_000 };
const code = `
import { createHash, randomBytes } from "node:crypto";
import { readdirSync } from "node:fs";
import { connect } from "node:net";
const digest = (bytes) => createHash("sha256").update(bytes).digest("hex");
const echoed = (at, bytes) => new Promise((resolve, reject) => {
  const sent = randomBytes(bytes), got = [];
  const socket = connect({ path: at, allowHalfOpen: true });
  socket.on("error", reject).on("data", (chunk) => got.push(chunk));
  socket.on("end", () => resolve(digest(Buffer.concat(got)) === digest(sent)));
  socket.end(sent);
});
export const handler = async ({ at, connections, bytes }) => ({
  whole: await Promise.all(Array.from({ length: connections }, () => echoed(at, bytes))),
  platform: readdirSync("/opt/isola").sort(), tools: readdirSync("/opt/isola/tools").sort(),
});`;

/** `firecracker`: a program that plays it; null: QEMU. */
function suite(title: string, firecracker: string | null): void {
  const folder = mkdtempSync(join(tmpdir(), "isola-build-machine-"));
  const nodeId = `test-${process.pid}-${randomBytes(4).toString("hex")}`;
  const { microvm, ...common } = dockerSettings;
  const played = { keptDir: join(folder, "kept"), firecracker, vmm: "firecracker" as const };
  const isPlayed = firecracker !== null;
  const settings = {
    ...{ nodeId, stateDir: folder, acceptNoIsolation: false, ...common },
    microvm: { ...microvm, ...(isPlayed && played) },
    ...(isPlayed && { without: ["kvm" as const] }),
  };
  const driver = lazyDriver("microvm", settings, "build");
  const from = join(folder, "platform.sock");
  const platform = createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket));
  let runtime: RuntimeSpec;

  before(async () => {
    if (isPlayed) linkGuests(join(folder, "kept"));
    await once(platform.listen(from), "listening");
    const root = fileURLToPath(new URL("../../../..", import.meta.url));
    const found = await findRuntimes({ root, python: null });
    runtime = found.find(({ family }) => family === "nodejs") as RuntimeSpec;
  });
  after(async () => {
    platform.close();
    await driver.close();
    rmSync(folder, { recursive: true });
  });

  test(title, async () => {
    const equipment = { hasTools: true, sockets: [{ from, at }] };
    const session = await Session.start(driver, runtime, undefined, { equipment });
    await session.init({ "index.mjs": code }, "index.handler");
    const told = await session.invoke<{ whole: boolean[]; platform: string[]; tools: string[] }>(
      event,
    );
    assert.deepEqual(
      told.whole,
      Array.from({ length: event.connections }, () => true),
    );
    for (const name of ["bin", "registries.sock", "runtimes", "tools"])
      assert.ok(told.platform.includes(name), told.platform.join());
    assert.ok(told.tools.includes("npm"), told.tools.join());
    await destroyed(session);
    assert.equal(await connectionsOf(platform), 0);
  });
}

describe("a machine of a build", { skip: skipMicrovm, timeout: 300_000 }, () => {
  suite("has the tools of its runtime, and connections to one socket of the platform", null);
  if (!isWhole) return;
  const programs = standInPrograms();
  after(programs.remove);
  describe("by Firecracker, played", () => suite("has the same", programs.firecracker));
});

async function connectionsOf(server: ReturnType<typeof createServer>): Promise<number> {
  return await new Promise((resolve, reject) => {
    server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
  });
}

describe("what a machine cannot have", () => {
  test("is refused with the reason", () => {
    const guest = { tools: null } as GuestFiles;
    const socket = { from: "/x", at };
    const cases: [Equipment, RegExp][] = [
      [{ hasTools: true, sockets: [] }, /the runtime has no tools/],
      [{ hasTools: false, sockets: [socket, socket] }, /a machine has one socket/],
      [{ hasTools: false, sockets: [{ from: "/x", at: "/etc/x" }] }, /is in \/opt\/isola, not/],
      [{ hasTools: false, sockets: [{ from: "/x", at: "/opt/isola/a b=1" }] }, /not .*a b=1/],
    ];
    for (const [equipment, message] of cases)
      assert.throws(() => equipmentOf(equipment, guest, () => {}), {
        code: "driver_unavailable",
        message,
      });
  });
});
