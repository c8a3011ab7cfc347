import type { Boot, Config, Role } from "../config.ts";
import { systemClock } from "../domain/clock.ts";
import { eventOf } from "../domain/events.ts";
import { Gateway } from "./gateway.ts";
import { type Machine, examineMachine, reviewMachine } from "./machine.ts";

const REVIEW_EVERY_MS = 60_000;

/** The data plane as a role of the server. */
export async function startGateway(config: Config, boot: Boot): Promise<Role> {
  const machine = await examineMachine(config, boot);
  const gateway = new Gateway(config, boot, machine);
  const address = await gateway.open();
  tellStart(machine, boot);
  const reviewing = setInterval(() => void reviewMachine(machine, boot), REVIEW_EVERY_MS);
  boot.log.info({ ...address, drivers: [...machine.drivers.keys()] }, "gateway is ready");
  return {
    address,
    drain: () => gateway.drain(),
    close: async () => {
      clearInterval(reviewing);
      await gateway.close();
    },
  };
}

function tellStart({ events, drivers }: Machine, { lastExit }: Boot): void {
  const fields = { pid: process.pid, drivers: [...drivers.keys()].join(", ") || "none" };
  const at = systemClock.wall();
  if (lastExit === null) return events.add(eventOf("gateway_started", at, fields));
  const { code: exitCode, signal } = lastExit;
  events.add(eventOf("gateway_restarted", at, { ...fields, exitCode, signal }));
}
