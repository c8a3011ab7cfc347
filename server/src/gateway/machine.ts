import { fileURLToPath } from "node:url";
import type { Boot, Config } from "../config.ts";
import type { Driver, DriverProbe, RuntimeSpec } from "../drivers/driver.ts";
import { guardDriver } from "../drivers/guarded-driver.ts";
import { createProcessDriver } from "../drivers/process/process-driver.ts";
import { findRuntimes } from "../drivers/runtimes.ts";

const repositoryRoot = fileURLToPath(new URL("../../..", import.meta.url));

/** What this machine can run functions with. */
export interface Machine {
  /** Only those whose probe says available. */
  drivers: Map<string, Driver>;
  /** Of every driver. */
  probes: DriverProbe[];
  runtimes: Map<string, RuntimeSpec>;
}

/** Probes the drivers, finds the runtimes, and removes what an earlier life left behind. */
export async function examineMachine(config: Config, boot: Boot): Promise<Machine> {
  const { nodeId, bootId, log, runDir } = boot;
  const { acceptNoIsolation } = config;
  const options = { nodeId, bootId, stateDir: runDir, acceptNoIsolation, log };
  const all = [guardDriver(createProcessDriver(options))];
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
  const machine = { drivers, probes, runtimes: new Map(runtimes.map((each) => [each.name, each])) };
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
