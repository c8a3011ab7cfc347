import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { lazyDriver } from "../../keeper/testing/lazy-driver.ts";
import { findCgroups } from "../cgroups/find-cgroups.ts";
import { findMarked } from "../cgroups/process-table.ts";
import { leftOut } from "../conformance/left-out.ts";
import { driverConformance } from "../conformance.ts";
import { findRuntimes } from "../runtimes.ts";
import { dockerSettings } from "../testing/docker-settings.ts";
import { SLOWNESS, isWhole, skipMicrovm } from "./testing/microvm-stand.ts";

const root = fileURLToPath(new URL("../../../..", import.meta.url));
const script = fileURLToPath(new URL("../../keeper/testing/doomed-server.ts", import.meta.url));
const runtimes = await findRuntimes({ root, python: null });
const nodeId = `test-${process.pid}-${randomBytes(4).toString("hex")}`;

async function leftovers(stateDir: string): Promise<string[]> {
  const isOurs = (text: string) => text.includes(`isola.${nodeId}.`) && !text.includes("{");
  const isSandbox = (text: string) => isOurs(text) && !text.includes(".microvm-template-");
  const groups = (await findCgroups().tree?.leftovers(isSandbox)) ?? [];
  const processes = await findMarked(isSandbox);
  const folders = readdirSync(stateDir, { recursive: true, encoding: "utf8" });
  return [
    ...groups.map(({ name }) => `cgroup ${name}`),
    ...processes.map(({ mark }) => `process ${mark}`),
    ...folders.filter(isSandbox).map((path) => `folder ${path}`),
  ];
}

if (skipMicrovm !== false) test("the microvm driver is tested", { skip: skipMicrovm });
else {
  const stateDir = mkdtempSync(join(tmpdir(), "isola-microvm-driver-"));
  after(() => rmSync(stateDir, { recursive: true }));
  const settings = { nodeId, stateDir, acceptNoIsolation: false, ...dockerSettings };
  driverConformance("microvm", {
    makeDriver: (bootId) => lazyDriver("microvm", settings, bootId),
    startElsewhere: { script, args: (bootId) => [JSON.stringify(settings), bootId, "microvm"] },
    runtimes,
    hasOwnImage: true,
    slowness: SLOWNESS,
    leftovers: () => leftovers(stateDir),
    ...(isWhole ? {} : { groups: ["life", "view", "escape"] as const }),
    leavesOut: leftOut.microvm,
  });
}
