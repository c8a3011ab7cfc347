import { MiB } from "../../domain/limits.ts";
import { GuestImages } from "../../images/guest/guest-images.ts";
import type { DriverCore } from "../driver.ts";
import { syscallFilter } from "../process/seccomp.ts";
import { INSIDE, SHM_BYTES, TASK_BYTES } from "../sandbox-view.ts";
import { guestSource } from "./guests.ts";
import { MicrovmDriver, type MicrovmDriverOptions } from "./microvm-driver.ts";
import { QemuVmm } from "./qemu/qemu-vmm.ts";

export interface MicrovmSettings
  extends Pick<MicrovmDriverOptions, "nodeId" | "bootId" | "stateDir" | "log" | "without"> {
  microvm: {
    keptDir: string;
    kernel: string | null;
    accelerator: "auto" | "kvm" | "emulation";
    snapshotsMiBMax: number;
  };
}

/** Functions in virtual machines of QEMU, with the guests that this machine makes. */
export function createMicrovmDriver({ microvm, ...options }: MicrovmSettings): DriverCore {
  const { keptDir, kernel, accelerator, snapshotsMiBMax } = microvm;
  const images = new GuestImages({
    ...{ folder: keptDir, kernel },
    view: {
      ...{ platform: INSIDE, taskBytes: TASK_BYTES, shmBytes: SHM_BYTES },
      filter: syscallFilter("x64"),
    },
  });
  const { log, without } = options;
  return new MicrovmDriver({
    ...{ ...options, keptDir, snapshotBytesMax: snapshotsMiBMax * MiB },
    vmms: [new QemuVmm({ accelerator, keptDir, ...(without && { without }) })],
    guests: guestSource(images, (text) => log.warn({ driver: "microvm" }, text)),
  });
}
