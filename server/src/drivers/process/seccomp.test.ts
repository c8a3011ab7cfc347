import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { lazyDriver } from "../../keeper/testing/lazy-driver.ts";
import { codeOf } from "../conformance/code.ts";
import { Session } from "../conformance/session.ts";
import { findRuntimes } from "../runtimes.ts";
import { examine } from "./machine.ts";
import { findSyscallFilter, syscallFilter } from "./seccomp.ts";
import { FIRST_UNKNOWN, type FilterArch, judgedCalls, refusedCalls } from "../syscalls.ts";
import { dockerSettings } from "../testing/docker-settings.ts";

const { EPERM, ENOSYS, EAFNOSUPPORT, EPROTONOSUPPORT } = constants.errno;
const archs: FilterArch[] = ["x64", "arm64"];
const auditArch = { x64: 0xc000003e, arm64: 0xc00000b7 };
/** `linux/audit.h`: i386 and 32-bit ARM, which the same kernels run. */
const foreign = { x64: 0x40000003, arm64: 0x40000028 };

type Step = { code: number; ifTrue: number; ifFalse: number; value: number };

function decode(program: Buffer): Step[] {
  assert.equal(program.length % 8, 0);
  return Array.from({ length: program.length / 8 }, (_, at) => ({
    code: program.readUInt16LE(at * 8),
    ifTrue: program.readUInt8(at * 8 + 2),
    ifFalse: program.readUInt8(at * 8 + 3),
    value: program.readUInt32LE(at * 8 + 4),
  }));
}

interface Call {
  nr: number;
  arch?: number;
  args?: (number | bigint)[];
}

/** Runs the filter of an architecture as the kernel would. */
function judge(arch: FilterArch, call: Call): "allowed" | "killed" | number {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(call.nr >>> 0, 0);
  data.writeUInt32LE(call.arch ?? auditArch[arch], 4);
  for (const [at, value] of (call.args ?? []).entries())
    data.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)), 16 + 8 * at);
  const steps = decode(syscallFilter(arch));
  let accumulator = 0;
  for (let at = 0; ; at += 1) {
    const { code, ifTrue, ifFalse, value } = steps[at] as Step;
    const jump = (isTrue: boolean) => (isTrue ? ifTrue : ifFalse);
    if (code === 0x20) accumulator = data.readUInt32LE(value);
    else if (code === 0x54) accumulator = (accumulator & value) >>> 0;
    else if (code === 0x15) at += jump(accumulator === value);
    else if (code === 0x35) at += jump(accumulator >= value);
    else if (code === 0x45) at += jump((accumulator & value) !== 0);
    else if (code === 0x06) return verdict(value);
    else assert.fail(`step ${at} has the unknown code ${code}`);
  }
}

function verdict(value: number): "allowed" | "killed" | number {
  if (value === 0x7fff0000) return "allowed";
  if (value === 0x80000000) return "killed";
  assert.equal(value >>> 16, 5);
  return value & 0xffff;
}

function number(arch: FilterArch, name: keyof typeof judgedCalls): number {
  return judgedCalls[name][arch] ?? assert.fail(`${arch} has no ${name}`);
}

for (const arch of archs)
  describe(`the system call filter for ${arch}`, () => {
    test("is a program that the kernel takes: jumps forward and inside, loads in bounds, an end", () => {
      const steps = decode(syscallFilter(arch));
      assert(steps.length <= 4096);
      for (const [at, { code, ifTrue, ifFalse, value }] of steps.entries()) {
        if (code === 0x20) assert(value % 4 === 0 && value < 64);
        if ((code & 7) === 5) assert(at + 1 + Math.max(ifTrue, ifFalse) < steps.length);
      }
      assert.equal(steps.at(-1)?.code, 0x06);
    });

    test("refuses every call of its list", () => {
      for (const [name, numbers] of Object.entries(refusedCalls))
        if (numbers[arch] !== null) assert.equal(judge(arch, { nr: numbers[arch] }), EPERM, name);
    });

    test("allows every other call that this kernel generation has", () => {
      const listed = [...Object.values(refusedCalls), ...Object.values(judgedCalls)];
      const numbers = new Set(listed.map((each) => each[arch]));
      for (let nr = 0; nr < FIRST_UNKNOWN; nr += 1)
        if (!numbers.has(nr)) assert.equal(judge(arch, { nr }), "allowed", String(nr));
    });

    test("knows no call beyond its list, nor the second numbering of x86", () => {
      for (const nr of [FIRST_UNKNOWN, 1000, 0x40000000, 0x40000000 + 39, 0xffffffff])
        assert.equal(judge(arch, { nr }), ENOSYS, String(nr));
    });

    test("ends a process that calls in another architecture's way", () => {
      for (const other of [foreign[arch], 0, ...archs.map((each) => auditArch[each])])
        if (other !== auditArch[arch])
          assert.equal(judge(arch, { nr: 0, arch: other }), "killed", other.toString(16));
    });

    test("lets threads and processes be made, and namespaces not", () => {
      const nr = number(arch, "clone");
      const [SIGCHLD, threadFlags] = [17, 0x3d0f00];
      for (const flags of [SIGCHLD, threadFlags, 0x01200011, 0x4111])
        assert.equal(judge(arch, { nr, args: [flags] }), "allowed", flags.toString(16));
      for (let bit = 0; bit < 7; bit += 1) {
        const flag = [0x00020000, 0x02000000, 0x04000000, 0x08000000][bit] ?? 1 << (24 + bit);
        assert.equal(judge(arch, { nr, args: [flag | SIGCHLD] }), EPERM, flag.toString(16));
      }
      assert.equal(judge(arch, { nr: number(arch, "clone3") }), ENOSYS);
    });

    test("lets sockets of unix, TCP, UDP and the routing table be made, and no others", () => {
      const socket = (...args: number[]) => judge(arch, { nr: number(arch, "socket"), args });
      const CLOEXEC = 0o2000000;
      for (const kind of [1, 2, 5, 1 | CLOEXEC]) assert.equal(socket(1, kind, 0), "allowed");
      for (const family of [2, 10]) {
        for (const protocol of [0, 6, 17])
          assert.equal(socket(family, 1 | CLOEXEC, protocol), "allowed");
        for (const kind of [3, 4, 5, 6, 10]) assert.equal(socket(family, kind, 0), EPERM);
        for (const protocol of [1, 33, 132, 136, 255, 262])
          assert.equal(socket(family, 1, protocol), EPROTONOSUPPORT);
      }
      assert.equal(socket(16, 3 | CLOEXEC, 0), "allowed");
      for (const protocol of [6, 9, 12, 15]) assert.equal(socket(16, 3, protocol), EPROTONOSUPPORT);
      for (let family = 0; family < 64; family += 1)
        if (![1, 2, 10, 16].includes(family)) assert.equal(socket(family, 1, 0), EAFNOSUPPORT);
      assert.equal(judge(arch, { nr: number(arch, "socketpair"), args: [1, 1, 0] }), "allowed");
      assert.equal(judge(arch, { nr: number(arch, "socketpair"), args: [30, 1, 0] }), EAFNOSUPPORT);
    });

    test("refuses to type into terminals, also with a request dressed up in its upper half", () => {
      const nr = number(arch, "ioctl");
      for (const request of [0x5412n, 0x541cn, 0x5423n])
        for (const upper of [0n, 1n << 32n, 0xffffffffn << 32n])
          assert.equal(judge(arch, { nr, args: [0, upper | request] }), EPERM);
      for (const request of [0x5401, 0x5413, 0x541b, 0x5421])
        assert.equal(judge(arch, { nr, args: [0, request] }), "allowed");
    });

    test("refuses devices and odd personalities", () => {
      const mknod = (mode: number) =>
        judge(arch, { nr: number(arch, "mknodat"), args: [0, 0, mode] });
      for (const kind of [0o020000, 0o060000]) assert.equal(mknod(kind | 0o666), EPERM);
      for (const kind of [0o010000, 0o100000, 0o140000, 0]) assert.equal(mknod(kind), "allowed");
      const personality = (value: number) =>
        judge(arch, { nr: number(arch, "personality"), args: [value] });
      for (const value of [0, 0xffffffff]) assert.equal(personality(value), "allowed");
      for (const value of [8, 0x0040000, 0x0400000, 0x20008])
        assert.equal(personality(value), EPERM);
    });
  });

/** Where the kernel's headers stand, as `linux-libc-dev` installs them. */
const headers = {
  x64: "/usr/include/x86_64-linux-gnu/asm/unistd_64.h",
  arm64: "/usr/include/asm-generic/unistd.h",
};

const present = archs.filter((arch) => existsSync(headers[arch]));

describe("the list of system calls", () => {
  test("has the numbers of the kernel's own headers", {
    skip: present.length > 0 ? false : "no headers: apt-get install linux-libc-dev",
  }, () => {
    for (const arch of present) {
      const text = readFileSync(headers[arch], "utf8");
      const known = new Map(
        [...text.matchAll(/^#define __NR(?:3264)?_(\w+)\s+(\d+)$/gm)].map(
          ([, name, value]) => [name as string, Number(value)] as const,
        ),
      );
      assert(known.size > 300);
      const last = Math.max(...known.values());
      for (const [name, numbers] of Object.entries({ ...refusedCalls, ...judgedCalls })) {
        // Headers that are older than the list do not know its newest calls.
        const expected = (numbers[arch] ?? -1) > last ? numbers[arch] : (known.get(name) ?? null);
        assert.equal(numbers[arch], expected, `${name} of ${arch}`);
      }
    }
  });

  test("makes a filter for this machine", () => {
    const found = findSyscallFilter();
    if (found.program === null) assert.match(found.problem, /seccomp|no list/);
    else assert.deepEqual(found.program, syscallFilter(process.arch as FilterArch));
  });
});

const machine = await examine();
const root = fileURLToPath(new URL("../../../..", import.meta.url));
const runtimes = await findRuntimes({ root, python: null });

test("every process of a sandbox runs under the filter", {
  skip: machine.bwrap === null ? "bubblewrap is not installed: apt-get install bubblewrap" : false,
}, async (t) => {
  const python = runtimes.find((runtime) => runtime.family === "python");
  assert(python !== undefined, "python3 is not installed: apt-get install python3");
  const stateDir = mkdtempSync(join(tmpdir(), "isola-seccomp-"));
  const settings = {
    nodeId: `seccomp-${process.pid}`,
    stateDir,
    acceptNoIsolation: false,
    ...dockerSettings,
  };
  const driver = lazyDriver("process", settings, "this");
  t.after(async () => {
    await driver.close();
    rmSync(stateDir, { recursive: true });
  });
  const { protections } = await driver.probe();
  assert.equal(protections.find(({ name }) => name === "syscalls")?.isEnforced, true);
  const session = await Session.start(driver, python);
  await session.init(codeOf.python.files, codeOf.python.handler);
  await session.invoke({ op: "orphan" });
  const statuses = await session.invoke<string[]>({ op: "statuses" });
  assert(statuses.length >= 2);
  for (const status of statuses) assert.match(status, /^Seccomp:\s+2$/m);
  const tried = { op: "attempt", group: "kernel-parts" };
  const { refused } = await session.invoke<{ refused: Record<string, string> }>(tried);
  const { unknown_calls: unknown, ...listed } = refused;
  assert.equal(unknown, "ENOSYS");
  assert.deepEqual(new Set(Object.values(listed)), new Set(["EPERM"]));
});
