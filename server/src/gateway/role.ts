import type { Boot, Config, Role } from "../config.ts";
import { Gateway } from "./gateway.ts";
import { examineMachine, sweepMachine } from "./machine.ts";

const SWEEP_EVERY_MS = 60_000;

/** The data plane as a role of the server. */
export async function startGateway(config: Config, boot: Boot): Promise<Role> {
  const machine = await examineMachine(config, boot);
  const gateway = new Gateway(config, boot, machine);
  const address = await gateway.open();
  const sweeping = setInterval(() => void sweepMachine(machine, boot), SWEEP_EVERY_MS);
  boot.log.info({ ...address, drivers: [...machine.drivers.keys()] }, "gateway is ready");
  return {
    address,
    drain: () => gateway.drain(),
    close: async () => {
      clearInterval(sweeping);
      await gateway.close();
    },
  };
}
