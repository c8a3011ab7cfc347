import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { constants } from "node:os";
import {
  ARCH_AT,
  ARGUMENTS_AT,
  JUMP_IF_ANY_BIT,
  JUMP_IF_AT_LEAST,
  JUMP_IF_EQUAL,
  NUMBER_AT,
  type Step,
  allow,
  auditArchs,
  encode,
  kill,
  load,
  refuse,
  when,
} from "../bpf.ts";
import {
  FIRST_UNKNOWN,
  type FilterArch,
  callRules,
  judgedCalls,
  refusedCalls,
} from "../syscalls.ts";

/** A jump passes over at most so many steps. */
const BLOCK_STEPS_MAX = 255;
const ACTIONS_FILE = "/proc/sys/kernel/seccomp/actions_avail";

/** The lower half of an argument: all of it for the arguments judged here, which the kernel takes as 32 bits or which mean nothing above. */
const argument = (index: number): Step => load(ARGUMENTS_AT + 8 * index);
const and = (mask: number): Step => [0x54, 0, 0, mask];
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
