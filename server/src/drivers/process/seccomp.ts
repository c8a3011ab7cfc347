import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { constants } from "node:os";
import {
  FIRST_UNKNOWN,
  type FilterArch,
  callRules,
  judgedCalls,
  refusedCalls,
} from "../syscalls.ts";

/** `struct sock_filter` of the kernel: one step of classic BPF. */
type Step = [code: number, ifTrue: number, ifFalse: number, value: number];

const STEP_BYTES = 8;
const STEPS_MAX = 4096;
/** A jump passes over at most so many steps. */
const BLOCK_STEPS_MAX = 255;
const [JUMP_IF_EQUAL, JUMP_IF_AT_LEAST, JUMP_IF_ANY_BIT] = [0x15, 0x35, 0x45];
/** `struct seccomp_data`: the number, the architecture, the instruction pointer, six arguments of 64 bits. */
const NUMBER_AT = 0;
const ARCH_AT = 4;
const ARGUMENTS_AT = 16;
const ACTIONS_FILE = "/proc/sys/kernel/seccomp/actions_avail";

/** Of `linux/audit.h`; a 32-bit call on the same machine has another one. */
const auditArchs: Record<FilterArch, number> = { x64: 0xc000003e, arm64: 0xc00000b7 };

const load = (at: number): Step => [0x20, 0, 0, at];
/** The lower half of an argument: all of it for the arguments judged here, which the kernel takes as 32 bits or which mean nothing above. */
const argument = (index: number): Step => load(ARGUMENTS_AT + 8 * index);
const and = (mask: number): Step => [0x54, 0, 0, mask];
const ret = (value: number): Step => [0x06, 0, 0, value];
const allow = ret(0x7fff0000);
const kill = ret(0x80000000);
const refuse = (errno: number): Step => ret(0x00050000 | errno);

/** Runs the steps where the value at hand is this one; they end with a `ret`. */
const when = (value: number, steps: Step[]): Step[] => [
  [JUMP_IF_EQUAL, 0, steps.length, value],
  ...steps,
];
const whenAnyBit = (mask: number, steps: Step[]): Step[] => [
  [JUMP_IF_ANY_BIT, 0, steps.length, mask],
  ...steps,
];
const allowed = (values: readonly number[]): Step[] =>
  values.flatMap((value) => when(value, [allow]));

const { EPERM, ENOSYS, EAFNOSUPPORT, EPROTONOSUPPORT } = constants.errno;

const { family } = callRules;

const internet = (): Step[] => [
  argument(1),
  and(callRules.socketKindMask),
  ...callRules.socketKinds.flatMap((kind) =>
    when(kind, [argument(2), ...allowed(callRules.internetProtocols), refuse(EPROTONOSUPPORT)]),
  ),
  refuse(EPERM),
];

const noDevice = (modeAt: number): Step[] => [
  argument(modeAt),
  and(callRules.fileKindMask),
  ...callRules.deviceKinds.flatMap((kind) => when(kind, [refuse(EPERM)])),
  allow,
];

/** What is asked of a call's arguments. Sockets are an allowlist, as vsock, packet, alg and their like reach past the network namespace or into seldom used code. */
const judgements: Record<keyof typeof judgedCalls, Step[]> = {
  clone: [argument(0), ...whenAnyBit(callRules.namespaceFlags, [refuse(EPERM)]), allow],
  // Its flags are in memory, where a filter cannot look; libraries then use `clone`.
  clone3: [refuse(ENOSYS)],
  socket: [
    argument(0),
    ...allowed([family.unix]),
    ...when(family.inet, internet()),
    ...when(family.inet6, internet()),
    ...when(family.netlink, [
      argument(2),
      ...allowed([callRules.netlinkRoute]),
      refuse(EPROTONOSUPPORT),
    ]),
    refuse(EAFNOSUPPORT),
  ],
  socketpair: [argument(0), ...allowed([family.unix]), refuse(EAFNOSUPPORT)],
  ioctl: [
    argument(1),
    ...callRules.terminalRequests.flatMap((request) => when(request, [refuse(EPERM)])),
    allow,
  ],
  personality: [argument(0), ...allowed(callRules.personalities), refuse(EPERM)],
  mknod: noDevice(1),
  mknodat: noDevice(2),
};

/**
 * The filter of system calls that every sandbox with bubblewrap runs under, as bytes of classic BPF for `seccomp(2)`: a list of what is refused, in the spirit of
 * the default profiles of container engines. Calls of another architecture end the process; calls newer than the list do not exist.
 */
export function syscallFilter(arch: FilterArch): Buffer {
  const judge = (name: string, numbers: Record<FilterArch, number | null>, steps: Step[]) => {
    const number = numbers[arch];
    assert(steps.length <= BLOCK_STEPS_MAX, name);
    return number === null ? [] : when(number, steps);
  };
  return encode([
    load(ARCH_AT),
    [JUMP_IF_EQUAL, 1, 0, auditArchs[arch]],
    kill,
    load(NUMBER_AT),
    // x32, the second way to call a 64-bit kernel, adds 2^30 to its numbers.
    [JUMP_IF_AT_LEAST, 0, 1, FIRST_UNKNOWN],
    refuse(ENOSYS),
    ...Object.entries(refusedCalls).flatMap(([name, numbers]) =>
      judge(name, numbers, [refuse(EPERM)]),
    ),
    ...Object.entries(judgements).flatMap(([name, steps]) =>
      judge(name, judgedCalls[name as keyof typeof judgedCalls], steps),
    ),
    allow,
  ]);
}

function encode(steps: Step[]): Buffer {
  assert(steps.length <= STEPS_MAX);
  const bytes = Buffer.alloc(steps.length * STEP_BYTES);
  for (const [at, [code, ifTrue, ifFalse, value]] of steps.entries()) {
    const start = at * STEP_BYTES;
    bytes.writeUInt16LE(code, start);
    bytes.writeUInt8(ifTrue, start + 2);
    bytes.writeUInt8(ifFalse, start + 3);
    bytes.writeUInt32LE(value, start + 4);
  }
  return bytes;
}

export type SyscallFilter = { program: Buffer } | { program: null; problem: string };

/** The filter for this machine, or why there is none. */
export function findSyscallFilter(): SyscallFilter {
  const { arch } = process;
  if (!(arch in auditArchs))
    return { program: null, problem: `there is no list of system calls for ${arch}` };
  try {
    const actions = readFileSync(ACTIONS_FILE, "latin1").trim().split(" ");
    if (["errno", "kill_process"].every((action) => actions.includes(action)))
      return { program: syscallFilter(arch as FilterArch) };
  } catch {
    // see below: a kernel without seccomp has no such file
  }
  return { program: null, problem: `the kernel has no seccomp filters (${ACTIONS_FILE})` };
}
