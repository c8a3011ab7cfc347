import { MiB } from "../../domain/limits.ts";
import { GuestImages } from "../../images/guest/guest-images.ts";
import { sandboxMarks } from "../cgroups/sandbox-mark.ts";
import type { DriverCore } from "../driver.ts";
import { syscallFilter } from "../process/seccomp.ts";
import { INSIDE, SHM_BYTES, TASK_BYTES } from "../sandbox-view.ts";
import { guestSource } from "./guests.ts";
import { FirecrackerVmm } from "./firecracker/firecracker-vmm.ts";
import { MicrovmDriver, type MicrovmDriverOptions } from "./microvm-driver.ts";
import { QemuVmm } from "./qemu/qemu-vmm.ts";
import type { Vmm } from "./vmm.ts";

export interface MicrovmSettings
  extends Pick<MicrovmDriverOptions, "nodeId" | "bootId" | "stateDir" | "log" | "without"> {
  microvm: {
    keptDir: string;
    kernel: string | null;
    kernelSource: string | null;
    vmm: "auto" | "firecracker" | "qemu";
    firecracker: string | null;
    accelerator: "auto" | "kvm" | "emulation";
    snapshotsMiBMax: number;
  };
}

/** Functions in virtual machines of Firecracker or QEMU, with the guests that this machine makes. */
export function createMicrovmDriver(settings: MicrovmSettings): DriverCore {
  const { microvm, ...options } = settings;
  const { keptDir, kernel, kernelSource, snapshotsMiBMax } = microvm;
  const images = new GuestImages({
    ...{ folder: keptDir, kernel, kernelSource },
    view: {
      ...{ platform: INSIDE, taskBytes: TASK_BYTES, shmBytes: SHM_BYTES },
      filter: syscallFilter("x64"),
    },
  });
  const { log } = options;
  return new MicrovmDriver({
    ...{ ...options, keptDir, snapshotBytesMax: snapshotsMiBMax * MiB },
    vmms: vmmsOf(settings),
    guests: guestSource(images, (text) => log.warn({ driver: "microvm" }, text)),
  });
}

/** In the order in which they are tried. */
function vmmsOf({ microvm, nodeId, bootId, without }: MicrovmSettings): readonly Vmm[] {
  const { vmm, firecracker, accelerator, keptDir } = microvm;
  const qemu = new QemuVmm({ accelerator, keptDir, ...(without && { without }) });
  // It has no emulation.
  if (vmm === "qemu" || (vmm === "auto" && accelerator === "emulation")) return [qemu];
  const jailed = new FirecrackerVmm({
    ...{ firecracker, jailer: null, stateDir: keptDir },
    kvm: without?.includes("kvm") ? null : "/dev/kvm",
    trialMark: sandboxMarks(nodeId, bootId).of("microvm-trial"),
    isRoot: process.geteuid?.() === 0,
  });
  return vmm === "firecracker" ? [jailed] : [jailed, qemu];
}
