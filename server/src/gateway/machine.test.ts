import assert from "node:assert/strict";
import { test } from "node:test";
import type { Boot } from "../config.ts";
import type { Driver, DriverProbe } from "../drivers/driver.ts";
import { systemClock } from "../domain/clock.ts";
import { GatheredEvents } from "./gathered-events.ts";
import { type Machine, reviewMachine } from "./machine.ts";

/** A driver of an engine that comes and goes, which counts how often it was asked. */
function engineDriver() {
  const state = { isThere: false, probes: 0 };
  const driver = {
    name: "docker",
    probe: async () => {
      state.probes += 1;
      return { name: "docker", isAvailable: state.isThere } as DriverProbe;
    },
    sweep: async () => {
      if (!state.isThere) throw new Error("no Docker Engine answers");
      return { removed: [] };
    },
  } as unknown as Driver;
  return { driver, state };
}

function machineOf(driver: Driver): Machine {
  return {
    drivers: new Map(),
    probes: [{ name: "docker", isAvailable: false } as DriverProbe],
    isAway: new Set(),
    runtimes: new Map(),
    events: new GatheredEvents(systemClock),
    keeping: { drivers: [driver] } as unknown as Machine["keeping"],
  };
}

test("a driver whose engine comes, goes and comes back is taken up, told as away, and told as there again", async () => {
  const said: string[] = [];
  const say = (_fields: object, text: string) => said.push(text);
  const boot = { log: { info: say, warn: say, error: say } } as unknown as Boot;
  const { driver, state } = engineDriver();
  const machine = machineOf(driver);

  await reviewMachine(machine, boot);
  assert.deepEqual([machine.drivers.size, state.probes], [0, 1]);

  state.isThere = true;
  await reviewMachine(machine, boot);
  assert.equal(machine.drivers.get("docker"), driver);
  assert.deepEqual(said, ["driver can run now"]);

  await reviewMachine(machine, boot);
  assert.equal(state.probes, 2, "a driver that runs is not asked again");

  state.isThere = false;
  await reviewMachine(machine, boot);
  assert.equal(machine.probes[0]?.isAvailable, false);
  assert.equal(
    machine.drivers.get("docker"),
    driver,
    "its functions are told why they do not start",
  );

  state.isThere = true;
  await reviewMachine(machine, boot);
  assert.equal(machine.probes[0]?.isAvailable, true);
  assert.deepEqual(said.slice(1), ["driver could not sweep"]);
});
