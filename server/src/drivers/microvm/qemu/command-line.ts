import type { MachineShape } from "../vmm.ts";
import type { Qemu } from "./find-qemu.ts";

/** Of translated code. QEMU's own default grows to a GiB. */
const TRANSLATED_MIB_MAX = 64;
const PORTS_MAX = 8;

/** What does not change between the machines of one life. */
export interface QemuPlan {
  qemu: Qemu;
  accelerator: "kvm" | "emulation";
  /** Of the host; null: the guest measures by itself. */
  timeStampKhz: number | null;
}

/** Descriptors of the program, by what they are. */
export interface QemuDescriptors {
  agent: number;
  /** null: a machine whose snapshot is taken has none, and is told by the monitor what to do. */
  streams: { control: number; stdout: number; stderr: number } | null;
  monitor: number | null;
  kernel: number;
  initramfs: number;
  root: number;
  /** null: none. */
  tools: number | null;
  /** The path inside and its channel; null: none. */
  socket: { at: string; channel: number } | null;
  /** The machine's memory, a file: what happens in it is in the file (`isShared`), or each machine's own. null: nothing but memory. */
  memory: { descriptor: number; isShared: boolean } | null;
  /** It waits until the monitor says where it goes on from; else it boots. */
  isRestored: boolean;
}

/** Everything that QEMU is told. What it reads is handed to it as descriptors, so that it needs no path of the server's. */
export function qemuArgs(
  plan: QemuPlan,
  shape: MachineShape,
  given: { mark: string; descriptors: QemuDescriptors },
): string[] {
  const { descriptors, mark } = given;
  return [
    ...["-name", mark, ...machineArgs(plan, shape, descriptors.memory), ...sandboxArgs()],
    ...["-kernel", pathOf(descriptors.kernel), "-initrd", pathOf(descriptors.initramfs)],
    ...["-append", [kernelCommandLine(plan), ...equipmentWords(descriptors)].join(" ")],
    ...driveArgs("root", descriptors.root),
    ...(descriptors.tools === null ? [] : driveArgs("tools", descriptors.tools)),
    ...["-chardev", "socket,id=console,fd=1", "-serial", "chardev:console"],
    ...["-device", `virtio-serial-device,max_ports=${PORTS_MAX}`],
    ...portArgs(1, "agent", descriptors.agent),
    ...portArgs(2, "control", descriptors.streams?.control ?? null),
    ...portArgs(3, "stdout", descriptors.streams?.stdout ?? null),
    ...portArgs(4, "stderr", descriptors.streams?.stderr ?? null),
    ...(descriptors.socket === null ? [] : portArgs(5, "socket", descriptors.socket.channel)),
    ...(descriptors.monitor === null
      ? []
      : [
          "-chardev",
          `socket,id=monitor,fd=${descriptors.monitor}`,
          "-mon",
          "monitor,mode=control",
        ]),
    ...(descriptors.isRestored ? ["-incoming", "defer"] : []),
  ];
}

/** What a snapshot depends on beside the guest and the shape. */
export function identityOf(plan: QemuPlan, processor: string): string {
  const descriptors = {
    ...{ agent: 0, streams: null, monitor: null, kernel: 0, initramfs: 0, root: 0 },
    ...{ tools: null, socket: null, isRestored: false },
    memory: { descriptor: 0, isShared: true },
  };
  const shape = { memoryMiB: 0, vcpus: 0 };
  const args = qemuArgs(plan, shape, { mark: "", descriptors });
  // An emulated processor is the same on every host.
  const host = plan.accelerator === "kvm" ? processor : "";
  return ["qemu", plan.qemu.version, ...args, host].join(" ");
}

function machineArgs(
  { accelerator }: QemuPlan,
  { memoryMiB, vcpus }: MachineShape,
  memory: QemuDescriptors["memory"],
): string[] {
  const how = {
    kvm: ["-accel", "kvm", "-cpu", "host"],
    emulation: ["-accel", `tcg,tb-size=${TRANSLATED_MIB_MAX}`, "-cpu", "max,la57=off"],
  };
  return [
    // Kernels of distributions find their devices by ACPI alone.
    ...["-M", `microvm,acpi=on${memory === null ? "" : ",memory-backend=memory"}`],
    ...how[accelerator],
    ...(memory === null ? [] : ["-object", memoryObject(memory, memoryMiB)]),
    ...["-m", String(memoryMiB), "-smp", String(vcpus)],
    ...["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"],
  ];
}

function memoryObject(
  { descriptor, isShared }: NonNullable<QemuDescriptors["memory"]>,
  memoryMiB: number,
): string {
  const share = isShared ? "on" : "off";
  return `memory-backend-file,id=memory,size=${memoryMiB}M,mem-path=${pathOf(descriptor)},share=${share}`;
}

/** What QEMU's own filter of system calls refuses. */
function sandboxArgs(): string[] {
  const denied = ["obsolete", "elevateprivileges", "spawn", "resourcecontrol"];
  return ["-sandbox", ["on", ...denied.map((each) => `${each}=deny`)].join(",")];
}

function kernelCommandLine({ accelerator, timeStampKhz }: QemuPlan): string {
  // Without a timer to measure by, a guest on a busy host may never come to an end of trying.
  const clock =
    timeStampKhz === null
      ? []
      : [`tsc_early_khz=${timeStampKhz}`, "no_timer_check", "tsc=reliable"];
  const emulated = [
    "mitigations=off",
    "cryptomgr.notests",
    "init_on_alloc=0",
    "transparent_hugepage=never",
    "psi=0",
    "nowatchdog",
    ...clock,
  ];
  return [
    ...["console=ttyS0", "quiet", "panic=-1", "reboot=t", "isola.transport=serial"],
    ...(accelerator === "kvm" ? [] : emulated),
  ].join(" ");
}

function portArgs(number: number, name: string, descriptor: number | null): string[] {
  const backend = descriptor === null ? "null" : "socket";
  const fd = descriptor === null ? "" : `,fd=${descriptor}`;
  const port = `virtserialport,nr=${number},chardev=${name},name=isola.${name}`;
  return ["-chardev", `${backend},id=${name}${fd}`, "-device", port];
}

function driveArgs(id: string, descriptor: number): string[] {
  const drive = `if=none,id=${id},file=${pathOf(descriptor)},format=raw,readonly=on,file.locking=off`;
  return ["-drive", drive, "-device", `virtio-blk-device,drive=${id}`];
}

function equipmentWords({ tools, socket }: QemuDescriptors): string[] {
  return [
    ...(tools === null ? [] : ["isola.tools=1"]),
    ...(socket === null ? [] : [`isola.socket=${socket.at}`]),
  ];
}

/** Opens what the descriptor is open at, once more: by the rights of the file itself, whatever folders it lies in. */
function pathOf(descriptor: number): string {
  return `/proc/self/fd/${descriptor}`;
}
