import type { Socket } from "node:net";
import { IsolaError, messageOf } from "../../../errors.ts";
import type { Machine, MachineShape, MachineSnapshot } from "../vmm.ts";
import { type ApiClient, failed } from "./api-client.ts";
import { pauseCall, snapshotCall } from "./boot-calls.ts";
import type { Place } from "./place.ts";
import { takeSnapshot } from "./snapshot-files.ts";
import { type VmmEnd, type VmmProcess, describeEnd } from "./vmm-process.ts";

const PAUSE_MS_MAX = 5000;
/** The whole memory is written. */
const SNAPSHOT_MS_MAX = 60_000;

export interface MachineParts {
  id: string;
  vmm: VmmProcess;
  api: ApiClient;
  place: Place;
  shape: MachineShape;
  agent: Socket;
  /** Closes the host's ends of all it has. */
  close(): void;
}

/** A guest under Firecracker. Life: running -> stopped by `snapshot` -> ended. */
export class FirecrackerMachine implements Machine {
  readonly pid: number;
  readonly agent: Socket;
  readonly exited: Promise<VmmEnd>;
  readonly #parts: MachineParts;

  constructor(parts: MachineParts) {
    this.#parts = parts;
    this.pid = parts.vmm.pid;
    this.agent = parts.agent;
    this.exited = parts.vmm.exited;
    void this.exited.then(() => parts.close());
  }

  console(): string {
    return this.#parts.vmm.console();
  }

  async snapshot(folder: string): Promise<MachineSnapshot> {
    const { id, vmm, api, place, shape } = this.#parts;
    const never = new AbortController().signal;
    try {
      await api.call(pauseCall, PAUSE_MS_MAX, never);
      await api.call(snapshotCall, SNAPSHOT_MS_MAX, never);
      return await takeSnapshot(place, folder, shape);
    } catch (error) {
      const end = vmm.hasEnded ? `; it ended: ${describeEnd(await vmm.exited)}` : "";
      const text = `no snapshot of ${id} could be taken: ${messageOf(error)}${end}`;
      throw error instanceof IsolaError && end === "" ? error : failed(text, error);
    }
  }

  kill(): void {
    this.#parts.vmm.kill();
  }
}
