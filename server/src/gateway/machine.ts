import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import type { Boot, Config } from "../config.ts";
import { systemClock } from "../domain/clock.ts";
import type { Driver, DriverProbe, RuntimeSpec } from "../drivers/driver.ts";
import { findRuntimes } from "../drivers/runtimes.ts";
import { type SandboxKeeping, openSandboxKeeping } from "../keeper/sandbox-keeping.ts";

const repositoryRoot = fileURLToPath(new URL("../../..", import.meta.url));

/** What this machine can run functions with. */
export interface Machine {
  /** Only those whose probe says available. */
  drivers: Map<string, Driver>;
  /** Of every driver. */
  probes: DriverProbe[];
  runtimes: Map<string, RuntimeSpec>;
  keeping: SandboxKeeping;
}

/** Probes the drivers, finds the runtimes, and removes what an earlier life left behind. */
export async function examineMachine(config: Config, boot: Boot): Promise<Machine> {
  const keeping = await openKeeping(config, boot);
  try {
    return await examine(keeping, config, boot);
  } catch (error) {
    await keeping.close();
    throw error;
  }
}

function openKeeping(config: Config, boot: Boot): Promise<SandboxKeeping> {
  const { nodeId, bootId, runDir, gatewaySocketPath, log } = boot;
  const { acceptNoIsolation } = config;
  return openSandboxKeeping({
    settings: {
      ...{ nodeId, stateDir: runDir, acceptNoIsolation },
      ...{ dockerHost: config.dockerHost, egressAllowed: config.egressAllowed },
      dockerBases: { nodejs: config.dockerBaseNodejs, python: config.dockerBasePython },
    },
    bootId,
    socketDir: dirname(gatewaySocketPath),
    clock: systemClock,
    onProblem: (problem) => log.warn(problem),
  });
}

async function examine(keeping: SandboxKeeping, config: Config, boot: Boot): Promise<Machine> {
  const { log } = boot;
  const all = keeping.drivers;
  const [probes, runtimes] = await Promise.all([
    Promise.all(all.map((driver) => driver.probe())),
    findRuntimes({ root: repositoryRoot, python: config.python }),
  ]);
  const drivers = new Map<string, Driver>();
  for (const [at, driver] of all.entries()) {
    const probe = probes[at] as DriverProbe;
    if (probe.isAvailable) drivers.set(driver.name, driver);
    else
      log.error(
        { driver: probe.name, problems: probe.problems, fixes: probe.fixes },
        "driver cannot run",
      );
  }
  const byName = new Map(runtimes.map((each) => [each.name, each]));
  const machine = { drivers, probes, runtimes: byName, keeping };
  await sweepMachine(machine, boot);
  return machine;
}

export async function sweepMachine({ drivers }: Machine, { log }: Boot): Promise<void> {
  for (const driver of drivers.values()) {
    const { removed } = await driver.sweep();
    if (removed.length > 0)
      log.warn({ driver: driver.name, removed }, "removed what an earlier life left behind");
  }
}
