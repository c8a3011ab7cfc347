import { IsolaError } from "../../errors.ts";
import type { Equipment } from "../driver.ts";
import { INSIDE } from "../sandbox-view.ts";
import { carrySocket } from "./carried-socket.ts";
import type { GuestFiles, MachineEquipment } from "./vmm.ts";

/** On the kernel's command line it is one word. */
const PATH = new RegExp(`^${INSIDE}/[A-Za-z0-9._-]{1,64}$`);

/** What a machine gets for a build. Throws `driver_unavailable` where it cannot be had in a machine. */
export function equipmentOf(
  { hasTools, sockets }: Equipment,
  { tools }: GuestFiles,
  onProblem: (problem: string) => void,
): MachineEquipment {
  const [socket, ...more] = sockets;
  if (hasTools && tools === null)
    throw refusal("the runtime has no tools, of which an image could be made");
  if (more.length > 0) throw refusal("a machine has one socket of the platform");
  if (socket === undefined) return { hasTools, socket: null };
  const { at, from } = socket;
  if (!PATH.test(at)) throw refusal(`a socket of the platform is in ${INSIDE}, not ${at}`);
  return {
    hasTools,
    socket: { at, onChannel: (channel) => carrySocket(channel, from, onProblem) },
  };
}

function refusal(text: string): IsolaError {
  return new IsolaError("driver_unavailable", text);
}
