import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { DriverName } from "../../../domain/function.ts";
import { leftOut } from "../../conformance/left-out.ts";
import { driverConformance } from "../../conformance.ts";
import type { Driver } from "../../driver.ts";
import { findRuntimes } from "../../runtimes.ts";
import { type DockerSettings, dockerSettings } from "../../testing/docker-settings.ts";
import type { DockerMachine } from "../probe.ts";
import { newNodeId, skipOf, tracesOf } from "./docker-stand.ts";
import { EngineProxy } from "./engine-proxy.ts";

const SETTLE_MS = 3000;
const root = fileURLToPath(new URL("../../../../..", import.meta.url));

interface SuiteSettings extends DockerSettings {
  nodeId: string;
  stateDir: string;
  acceptNoIsolation: boolean;
}

export interface SuiteDriver {
  name: DriverName;
  machine: DockerMachine;
  make(settings: SuiteSettings, bootId: string): Driver;
  /** As `ConformanceOptions.startElsewhere`; gets settings, boot id and the driver's name. */
  script: string;
}

export interface ContainerSuite {
  title: keyof typeof leftOut;
  /** The engine is reached as one of another machine. */
  isRemote: boolean;
}

/** Runs the conformance suite on a driver with containers, once for each way; where the machine cannot, it is a test that says why. */
export async function containerConformance(
  { name, machine, make, script }: SuiteDriver,
  suites: ContainerSuite[],
): Promise<void> {
  if (machine.problems.length > 0) {
    const reason = machine.problems.join("; ");
    test(`the ${name} driver is tested`, { skip: skipOf(machine) }, () => assert.fail(reason));
    return;
  }
  const runtimes = await findRuntimes({ root, python: null });
  const stateDir = mkdtempSync(join(tmpdir(), `isola-${name}-driver-`));
  after(() => rmSync(stateDir, { recursive: true }));
  const elsewhere = suites.some(({ isRemote }) => isRemote) ? await remoteHost() : "";
  for (const { title, isRemote } of suites) {
    const nodeId = newNodeId();
    const dockerHost = isRemote ? elsewhere : dockerSettings.dockerHost;
    const settings = { nodeId, stateDir, acceptNoIsolation: false, ...dockerSettings, dockerHost };
    driverConformance(title, {
      makeDriver: (bootId) => make(settings, bootId),
      startElsewhere: { script, args: (bootId) => [JSON.stringify(settings), bootId, name] },
      runtimes,
      hasOwnImage: true,
      leftovers: () => leftoversOf(nodeId),
      leavesOut: leftOut[title],
    });
  }
}

/** The engine of the environment on a port, as if it were elsewhere. */
async function remoteHost(): Promise<string> {
  const proxy = new EngineProxy(dockerSettings.dockerHost, null);
  await proxy.open();
  after(() => proxy.goAway());
  return proxy.host;
}

/** The engine removes a container a little after everything in it has ended, so it is given a moment. */
async function leftoversOf(nodeId: string): Promise<string[]> {
  for (const until = performance.now() + SETTLE_MS; ; await delay(50)) {
    const found = await tracesOf(nodeId);
    if (found.length === 0 || performance.now() > until) return found;
  }
}
