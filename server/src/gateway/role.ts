import type { Boot, Config, Role } from "../config.ts";
import { Gateway } from "./gateway.ts";
import { examineMachine, reviewMachine } from "./machine.ts";

const REVIEW_EVERY_MS = 60_000;

/** The data plane as a role of the server. */
export async function startGateway(config: Config, boot: Boot): Promise<Role> {
  const machine = await examineMachine(config, boot);
  const gateway = new Gateway(config, boot, machine);
  const address = await gateway.open();
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
