import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { lazyDriver } from "../../keeper/testing/lazy-driver.ts";
import { findCgroups } from "../cgroups/find-cgroups.ts";
import { driverConformance } from "../conformance.ts";
import { findRuntimes } from "../runtimes.ts";
import { labels } from "./container-options.ts";
import { Containers } from "./containers.ts";
import { examine } from "./probe.ts";
import { dockerSettings } from "../../keeper/testing/test-settings.ts";

const SETTLE_MS = 3000;
const root = fileURLToPath(new URL("../../../..", import.meta.url));
const script = fileURLToPath(new URL("../../keeper/testing/doomed-server.ts", import.meta.url));
const runtimes = await findRuntimes({ root, python: null });
const containers = new Containers(dockerSettings.dockerHost);
const machine = await examine(containers);
const stateDir = mkdtempSync(join(tmpdir(), "isola-docker-driver-"));
after(() => rmSync(stateDir, { recursive: true }));

function suite(name: string, without: "cgroups"[], leavesOut: Record<string, string>): void {
  const nodeId = `test-${process.pid}-${randomBytes(4).toString("hex")}`;
  const settings = { nodeId, stateDir, acceptNoIsolation: false, ...dockerSettings, without };
  driverConformance(name, {
    makeDriver: (bootId) => lazyDriver("docker", settings, bootId),
    startElsewhere: { script, args: (bootId) => [JSON.stringify(settings), bootId, "docker"] },
    runtimes,
    hasOwnImage: true,
    leftovers: () => leftoversOf(nodeId),
    leavesOut,
  });
}

/** The engine removes a container a little after everything in it has ended, so it is given a moment. */
async function leftoversOf(nodeId: string): Promise<string[]> {
  for (const until = performance.now() + SETTLE_MS; ; await delay(50)) {
    const found = await look(nodeId);
    if (found.length === 0 || performance.now() > until) return found;
  }
}

async function look(nodeId: string): Promise<string[]> {
  const isOurs = (text: string) => text.includes(`isola.${nodeId}.`);
  const groups = (await findCgroups("root").tree?.leftovers(isOurs)) ?? [];
  const found = await containers.list([`${labels.node}=${nodeId}`]);
  return [
    ...groups.map(({ name }) => `cgroup ${name}`),
    ...found.map((each) => {
      const mark = `isola.${nodeId}.${each.labels[labels.boot]}.${each.labels[labels.sandbox]}`;
      return `${each.isRunning ? "process" : "container"} ${mark}`;
    }),
  ];
}

if (machine.problems.length > 0) {
  const reason = machine.problems.join("; ");
  const skip = process.env.CI === undefined ? reason : false;
  test("the docker driver is tested", { skip }, () => assert.fail(reason));
} else {
  const leavesOut = { "missing-runtime": "the interpreter is the image's, not a file of the host" };
  suite("docker", [], leavesOut);
  suite("docker through the engine alone", ["cgroups"], leavesOut);
}
