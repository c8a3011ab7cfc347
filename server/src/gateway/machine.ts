import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Boot, Config } from "../config.ts";
import { systemClock } from "../domain/clock.ts";
import type { Driver, DriverProbe, RuntimeSpec } from "../drivers/driver.ts";
import { eventOf } from "../domain/events.ts";
import { messageOf } from "../errors.ts";
import { findRuntimes } from "../drivers/runtimes.ts";
import { type SandboxKeeping, openSandboxKeeping } from "../keeper/sandbox-keeping.ts";
import { GatheredEvents } from "./gathered-events.ts";

const repositoryRoot = fileURLToPath(new URL("../../..", import.meta.url));

/** What this machine can run functions with. */
export interface Machine {
  /** Those whose probe has said available; what is away for a while stays, and its starts say why they fail. */
  drivers: Map<string, Driver>;
  /** Of every driver, in the order of `keeping.drivers`. */
  probes: DriverProbe[];
  /** Names of drivers that could not sweep when they last should. */
  isAway: Set<string>;
  runtimes: Map<string, RuntimeSpec>;
  keeping: SandboxKeeping;
  /** What happens to it, and in the gateway. */
  events: GatheredEvents;
}

/** Probes the drivers, finds the runtimes, and removes what an earlier life left behind. */
export async function examineMachine(config: Config, boot: Boot): Promise<Machine> {
  const events = new GatheredEvents(systemClock);
  const keeping = await openKeeping(config, boot, events);
  try {
    return await examine({ keeping, events }, config, boot);
  } catch (error) {
    await keeping.close();
    throw error;
  }
}

function openKeeping(config: Config, boot: Boot, events: GatheredEvents): Promise<SandboxKeeping> {
  const { nodeId, bootId, runDir, gatewaySocketPath, log } = boot;
  const { acceptNoIsolation } = config;
  return openSandboxKeeping({
    settings: {
      ...{ nodeId, stateDir: runDir, acceptNoIsolation },
      dockerHost: config.dockerHost,
      gvisor: {
        ...{ mode: config.gvisorMode, runtime: config.gvisorRuntime, runsc: config.gvisorRunsc },
        ...{ platform: config.gvisorPlatform, keptDir: join(config.data, "gvisor") },
        snapshotsMiBMax: config.gvisorSnapshotsMiBMax,
      },
      ...{ egressAllowed: config.egressAllowed, egressResolvers: config.egressResolvers },
      microvm: {
        keptDir: join(config.data, "vm"),
        kernel: config.vmKernel,
        kernelSource: config.vmKernelSource,
        vmm: config.vmm as "auto" | "firecracker" | "qemu",
        firecracker: config.vmFirecracker,
        accelerator: config.vmAccelerator as "auto" | "kvm" | "emulation",
        snapshotsMiBMax: config.vmSnapshotsMiBMax,
      },
      dockerBases: { nodejs: config.dockerBaseNodejs, python: config.dockerBasePython },
    },
    bootId,
    socketDir: dirname(gatewaySocketPath),
    clock: systemClock,
    onProblem: (problem) => log.warn(problem),
    onKeeperLost: (how) => events.add(eventOf("keeper_restarted", systemClock.wall(), { how })),
  });
}

async function examine(
  { keeping, events }: Pick<Machine, "keeping" | "events">,
  config: Config,
  boot: Boot,
): Promise<Machine> {
  const all = keeping.drivers;
  const [probes, runtimes] = await Promise.all([
    Promise.all(all.map((driver) => driver.probe())),
    findRuntimes({ root: repositoryRoot, python: config.python }),
  ]);
  const drivers = new Map<string, Driver>();
  for (const [at, driver] of all.entries()) {
    const probe = probes[at] as DriverProbe;
    if (probe.isAvailable) drivers.set(driver.name, driver);
    else tell(probe, config, { boot, events });
  }
  const byName = new Map(runtimes.map((each) => [each.name, each]));
  const isAway = new Set<string>();
  const machine = { drivers, probes, runtimes: byName, keeping, isAway, events };
  await sweepMachine(machine, boot);
  return machine;
}

/** Nobody misses a driver that nobody asked for. */
function tell(
  { name, problems, fixes }: DriverProbe,
  config: Config,
  { boot, events }: { boot: Boot; events: GatheredEvents },
): void {
  const isWanted = name === "process" || name === config.defaultDriver;
  boot.log[isWanted ? "error" : "info"]({ driver: name, problems, fixes }, "driver cannot run");
  if (isWanted) tellAway(events, name, problems.join("; "));
}

function tellAway(events: GatheredEvents, driver: string, reason: string): void {
  events.add(eventOf("driver_unavailable", systemClock.wall(), { driver, reason }));
}

/** Sweeps, and looks again at drivers that could not run or can no longer: an engine may come and go. Never rejects. */
export async function reviewMachine(machine: Machine, boot: Boot): Promise<void> {
  await sweepMachine(machine, boot);
  for (const [at, driver] of machine.keeping.drivers.entries()) {
    if (machine.probes[at]?.isAvailable && !machine.isAway.has(driver.name)) continue;
    await probeAgain(machine, boot, { at, driver });
  }
}

async function probeAgain(
  machine: Machine,
  { log }: Boot,
  { at, driver }: { at: number; driver: Driver },
): Promise<void> {
  try {
    const probe = await driver.probe();
    machine.probes[at] = probe;
    if (!probe.isAvailable) return;
    machine.isAway.delete(driver.name);
    const { name, tier } = probe;
    machine.events.add(eventOf("driver_available", systemClock.wall(), { driver: name, tier }));
    if (machine.drivers.has(driver.name)) return;
    machine.drivers.set(driver.name, driver);
    log.info({ driver: driver.name }, "driver can run now");
  } catch (error) {
    log.warn({ driver: driver.name, err: error }, "driver could not be looked at");
  }
}

/** A driver that cannot sweep is away, and the rest goes on without it. */
async function sweepMachine(machine: Machine, { log }: Boot): Promise<void> {
  const { drivers, isAway, events } = machine;
  for (const driver of drivers.values()) {
    try {
      const { removed } = await driver.sweep();
      if (removed.length === 0) continue;
      log.warn({ driver: driver.name, removed }, "removed what an earlier life left behind");
      const fields = { driver: driver.name, count: removed.length };
      events.add(eventOf("swept", systemClock.wall(), fields));
    } catch (error) {
      if (!isAway.has(driver.name)) tellAway(events, driver.name, messageOf(error));
      isAway.add(driver.name);
      log.warn({ driver: driver.name, reason: messageOf(error) }, "driver could not sweep");
    }
  }
}
