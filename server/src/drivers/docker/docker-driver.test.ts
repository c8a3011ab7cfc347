import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { lazyDriver } from "../../keeper/testing/lazy-driver.ts";
import { driverConformance } from "../conformance.ts";
import { findRuntimes } from "../runtimes.ts";
import { machine, newNodeId, skipDocker, tracesOf } from "./testing/docker-stand.ts";
import { dockerSettings } from "../testing/docker-settings.ts";

const SETTLE_MS = 3000;
const root = fileURLToPath(new URL("../../../..", import.meta.url));
const script = fileURLToPath(new URL("../../keeper/testing/doomed-server.ts", import.meta.url));
const runtimes = await findRuntimes({ root, python: null });
const stateDir = mkdtempSync(join(tmpdir(), "isola-docker-driver-"));
after(() => rmSync(stateDir, { recursive: true }));

function suite(name: string, without: "cgroups"[], leavesOut: Record<string, string>): void {
  const nodeId = newNodeId();
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
    const found = await tracesOf(nodeId);
    if (found.length === 0 || performance.now() > until) return found;
  }
}

if (machine.problems.length > 0) {
  const reason = machine.problems.join("; ");
  test("the docker driver is tested", { skip: skipDocker }, () => assert.fail(reason));
} else {
  const leavesOut = { "missing-runtime": "the interpreter is the image's, not a file of the host" };
  suite("docker", [], leavesOut);
  suite("docker through the engine alone", ["cgroups"], leavesOut);
}
