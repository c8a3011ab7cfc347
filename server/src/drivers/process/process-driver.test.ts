import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { leftOut } from "../conformance/left-out.ts";
import { driverConformance } from "../conformance.ts";
import { lazyDriver } from "../../keeper/testing/lazy-driver.ts";
import { findRuntimes } from "../runtimes.ts";
import { findCgroups } from "../cgroups/find-cgroups.ts";
import { examine } from "./machine.ts";
import type { ProcessDriverOptions } from "./process-driver.ts";
import { findMarked } from "../cgroups/process-table.ts";
import { dockerSettings } from "../testing/docker-settings.ts";

const root = fileURLToPath(new URL("../../../..", import.meta.url));
const script = fileURLToPath(new URL("../../keeper/testing/doomed-server.ts", import.meta.url));
const runtimes = await findRuntimes({ root, python: null });
const machine = await examine();
const stateDir = mkdtempSync(join(tmpdir(), "isola-process-driver-"));
after(() => rmSync(stateDir, { recursive: true }));

const noBwrap = "bubblewrap is not installed: apt-get install bubblewrap";
const noCgroups = "control groups are not available: run as root, or with systemd's Delegate=yes";

type Way = keyof typeof leftOut & `process${string}`;

/** `like`: what of the suite is left out is that of this way. */
function suite(name: Way, without: ProcessDriverOptions["without"], like: Way = name): void {
  const nodeId = `test-${process.pid}-${randomBytes(4).toString("hex")}`;
  const settings = {
    nodeId,
    stateDir,
    acceptNoIsolation: true,
    ...dockerSettings,
    ...(without && { without }),
  };
  driverConformance(name, {
    makeDriver: (bootId) => lazyDriver("process", settings, bootId),
    startElsewhere: {
      script,
      args: (bootId) => [JSON.stringify(settings), bootId, "process"],
    },
    runtimes,
    hasOwnImage: false,
    leftovers: () => leftoversOf(nodeId),
    leavesOut: leftOut[like],
  });
}

async function leftoversOf(nodeId: string): Promise<string[]> {
  const isOurs = (text: string) => text.includes(`isola.${nodeId}.`) && !text.includes("{");
  const groups = (await findCgroups().tree?.leftovers(isOurs)) ?? [];
  const processes = await findMarked(isOurs);
  const folders = readdirSync(stateDir, { recursive: true, encoding: "utf8" });
  return [
    ...groups.map(({ name }) => `cgroup ${name}`),
    ...processes.map(({ mark }) => `process ${mark}`),
    ...folders.filter(isOurs).map((path) => `folder ${path}`),
  ];
}

/** What this machine cannot run is skipped with what would enable it; CI has to be able to. */
function cannotRun(what: string, reason: string): void {
  const skip = process.env.CI === undefined ? reason : false;
  test(`${what} is tested`, { skip }, () => assert.fail(reason));
}

if (machine.bwrap === null) cannotRun("the process driver with bubblewrap", noBwrap);
else {
  suite("process", [], machine.cgroups.tree === null ? "process without cgroups" : "process");
  suite("process without cgroups", ["cgroups"]);
}
if (machine.cgroups.tree === null) cannotRun("the process driver with cgroups", noCgroups);
const withoutBubblewrap =
  machine.cgroups.tree === null ? "process without both" : "process without bubblewrap";
suite("process without bubblewrap", ["bubblewrap"], withoutBubblewrap);
suite("process without both", ["bubblewrap", "cgroups"]);
