import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type QemuDescriptors, type QemuPlan, identityOf, qemuArgs } from "./command-line.ts";
import { timeStampKhz } from "./find-qemu.ts";

const plan: QemuPlan = {
  qemu: { path: "/usr/bin/qemu-system-x86_64", version: "7.2.22" },
  ...{ accelerator: "emulation", timeStampKhz: 2_400_000 },
};
const shape = { memoryMiB: 512, vcpus: 1 };
const descriptors: QemuDescriptors = {
  ...{ agent: 9, streams: { control: 10, stdout: 11, stderr: 12 }, monitor: null },
  ...{ kernel: 13, initramfs: 14, root: 15, tools: null, socket: null },
  ...{ memory: null, isRestored: false },
};

function line(change: Partial<QemuDescriptors> = {}, of = plan): string {
  const given = { mark: "isola.n.b.sb-1", descriptors: { ...descriptors, ...change } };
  return qemuArgs(of, shape, given).join(" ");
}

describe("QEMU's command line", () => {
  test("names no file but by its descriptor, and no monitor for a machine with code", () => {
    const paths = line().match(/(?<==| )\/\S+?(?=,| |$)/g) ?? [];
    assert.equal(paths.length, 3);
    for (const path of paths) assert.match(path, /^\/proc\/self\/fd\/1[345]$/);
    assert.doesNotMatch(line(), /-mon\b|-netdev|-nic|-monitor/);
  });

  test("has the same devices whether streams are there or not, so that a snapshot fits", () => {
    const devices = (text: string) => text.match(/-device \S+/g);
    const template = line({ streams: null, monitor: 10 });
    assert.deepEqual(devices(template), devices(line()));
    assert.match(template, /-chardev null,id=control /);
    assert.match(template, /-chardev socket,id=monitor,fd=10 -mon monitor,mode=control/);
  });

  test("gives a build its tools as the second drive, and a channel for its socket", () => {
    const socket = { at: "/opt/isola/registries.sock", channel: 17 };
    const built = line({ tools: 16, socket });
    assert.match(built, / isola\.tools=1 isola\.socket=\/opt\/isola\/registries\.sock -drive /);
    assert.match(
      built,
      /id=root,file=\/proc\/self\/fd\/15,.* -drive if=none,id=tools,file=\/proc\/self\/fd\/16,/,
    );
    assert.match(
      built,
      /socket,id=socket,fd=17 -device virtserialport,nr=5,chardev=socket,name=isola\.socket/,
    );
    assert.doesNotMatch(line(), /isola\.tools|isola\.socket|id=tools/);
  });

  test("has memory of its own, or in a file that it shares while it is saved and not when it goes on", () => {
    assert.doesNotMatch(line(), /memory-backend|-incoming/);
    const memory = (isShared: boolean) => ({ memory: { descriptor: 16, isShared } });
    assert.match(
      line(memory(true)),
      /-M microvm,acpi=on,memory-backend=memory .*-object memory-backend-file,id=memory,size=512M,mem-path=\/proc\/self\/fd\/16,share=on /,
    );
    assert.match(line({ ...memory(false), isRestored: true }), /,share=off .* -incoming defer$/);
  });

  test("tells an emulated guest the clock, and lets one with KVM find it", () => {
    assert.match(line(), /tsc_early_khz=2400000 /);
    assert.doesNotMatch(line({}, { ...plan, timeStampKhz: null }), /tsc/);
    assert.doesNotMatch(line({}, { ...plan, accelerator: "kvm" }), /tsc|mitigations=off/);
  });

  test("is another identity with another QEMU or accelerator, and with KVM on another processor", () => {
    const identity = identityOf(plan, "one");
    assert.equal(identityOf(plan, "other"), identity);
    const newer = { ...plan, qemu: { ...plan.qemu, version: "10.0.2" } };
    assert.notEqual(identityOf(newer, "one"), identity);
    const kvm: QemuPlan = { ...plan, accelerator: "kvm" };
    assert.notEqual(identityOf(kvm, "one"), identityOf(kvm, "other"));
  });
});

describe("the frequency of the time stamp counter", () => {
  const folder = "/sys/devices/system/cpu/cpu0/cpufreq";
  const khz = (files: Record<string, string>) =>
    timeStampKhz(
      (path) => {
        if (files[path] === undefined) throw new Error("ENOENT");
        return files[path];
      },
      (path) => path in files,
    );
  const cpu = (name: string) => ({
    "/proc/cpuinfo": `model name\t: ${name}\ncpu MHz\t\t: 801.5\n`,
  });

  test("is what the kernel counts with where the processor has one speed", () => {
    assert.equal(khz(cpu("AMD EPYC")), 801_500);
  });

  test("is the nominal one where the processor changes its speed, or unknown", () => {
    assert.equal(
      khz({ ...cpu("x"), [folder]: "", [`${folder}/base_frequency`]: "2900000\n" }),
      2_900_000,
    );
    assert.equal(khz({ ...cpu("Intel @ 2.90GHz"), [folder]: "" }), 2_900_000);
    assert.equal(khz({ ...cpu("AMD Ryzen 7"), [folder]: "" }), null);
    assert.equal(khz({}), null);
  });
});
