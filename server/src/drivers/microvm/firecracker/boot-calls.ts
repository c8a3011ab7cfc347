import type { MachineEquipment, MachineShape } from "../vmm.ts";
import type { ApiCall } from "./api-client.ts";

/**
 * Names of a machine's files, from the VMM's working folder: its jail, or the machine's folder. They are the same for every machine, so that what was restored finds its own,
 * and short, as the path of a unix socket has at most 107 bytes.
 */
export const names = {
  kernel: "kernel",
  initramfs: "initramfs",
  root: "root",
  tools: "tools",
  state: "state",
  memory: "memory",
  api: "api",
  vsock: "v",
} as const;

/** CID 2 is the host. Each machine has a vsock of its own, so all have the same number. */
const GUEST_CID = 3;

/** What a guest may write to its console: the kernel's last words at once, then little. Firecracker drops what is more. */
const CONSOLE_LIMITER = { size: 16_384, one_time_burst: 65_536, refill_time: 1000 };
/** Randomness comes from the host's generator, which all machines share. */
const ENTROPY_LIMITER = { bandwidth: { size: 65_536, refill_time: 100 } };

/**
 * Never Firecracker's own, which say `nomodule`. `reboot=k` is how the guest ends the machine. Devices are found through ACPI; there is no PCI, no mouse, no keyboard to wait for.
 */
const BOOT_ARGS =
  "console=ttyS0 quiet reboot=k panic=-1 i8042.noaux i8042.nomux i8042.dumbkbd swiotlb=noforce isola.transport=vsock";

/** What makes a machine, in order. The drive is read-only and in the page cache of all, and what reading it costs counts as the machine's processor: it has no limiter. */
export function bootCalls(
  { memoryMiB, vcpus }: MachineShape,
  equipment?: MachineEquipment,
): ApiCall[] {
  const kernel = { kernel_image_path: names.kernel, initrd_path: names.initramfs };
  return [
    put("/boot-source", { ...kernel, boot_args: bootArgs(equipment) }),
    put("/machine-config", { vcpu_count: vcpus, mem_size_mib: memoryMiB }),
    driveCall(names.root),
    ...(equipment?.hasTools === true ? [driveCall(names.tools)] : []),
    put("/vsock", { guest_cid: GUEST_CID, uds_path: names.vsock }),
    put("/entropy", { rate_limiter: ENTROPY_LIMITER }),
    consoleCall,
  ];
}

function bootArgs(equipment?: MachineEquipment): string {
  const { hasTools = false, socket = null } = equipment ?? {};
  return [
    BOOT_ARGS,
    ...(hasTools ? ["isola.tools=1"] : []),
    ...(socket === null ? [] : [`isola.socket=${socket.at}`]),
  ].join(" ");
}

/** Not a root device: that would put `root=` on the command line, and init mounts it. */
function driveCall(name: string): ApiCall {
  return put(`/drives/${name}`, {
    ...{ drive_id: name, path_on_host: name },
    ...{ is_root_device: false, is_read_only: true },
  });
}

/** To the VMM's own output. No part of a snapshot: it is said again before a restore. */
export const consoleCall: ApiCall = put("/serial", { rate_limiter: CONSOLE_LIMITER });

export const startCall: ApiCall = put("/actions", { action_type: "InstanceStart" });
export const pauseCall: ApiCall = { method: "PATCH", path: "/vm", body: { state: "Paused" } };

export const snapshotCall: ApiCall = put("/snapshot/create", {
  snapshot_type: "Full",
  snapshot_path: names.state,
  mem_file_path: names.memory,
});

/** The vsock and the drives are where they were, seen from the VMM's folder: nothing is overridden. */
export const restoreCall: ApiCall = put("/snapshot/load", {
  snapshot_path: names.state,
  mem_backend: { backend_type: "File", backend_path: names.memory },
  resume_vm: true,
});

function put(path: string, body: object): ApiCall {
  return { method: "PUT", path, body };
}
