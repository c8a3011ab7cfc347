import { constants } from "node:os";
import type { judgedCalls } from "../syscalls.ts";
import { callRules, refusedCalls } from "../syscalls.ts";
import { plainCalls } from "./known-calls.ts";

/** As container engines read it; `runc` makes a filter of it with libseccomp. */
interface SeccompProfile {
  defaultAction: string;
  defaultErrnoRet: number;
  architectures: string[];
  syscalls: SeccompRule[];
}

interface SeccompRule {
  names: string[];
  action: string;
  errnoRet?: number;
  /** All have to hold; each argument once. */
  args?: ArgumentRule[];
}

interface ArgumentRule {
  index: number;
  /** With `SCMP_CMP_MASKED_EQ`: the mask, and `valueTwo` what is left of the argument under it. */
  value: number;
  valueTwo?: number;
  op: "SCMP_CMP_EQ" | "SCMP_CMP_MASKED_EQ";
}

const { EPERM, ENOSYS } = constants.errno;
const architectures: Partial<Record<NodeJS.Architecture, string>> = {
  x64: "SCMP_ARCH_X86_64",
  arm64: "SCMP_ARCH_AARCH64",
};
const LOW_32 = 0xffffffff;

const equal = (index: number, value: number): ArgumentRule => ({
  ...{ index, value, op: "SCMP_CMP_EQ" },
});
/** The kernel takes these arguments as 32 bits, so what stands above them must not decide. */
const masked = (index: number, mask: number, value: number): ArgumentRule => ({
  ...{ index, value: mask, valueTwo: value, op: "SCMP_CMP_MASKED_EQ" },
});
const word = (index: number, value: number) => masked(index, LOW_32, value);
const allow = (name: keyof typeof judgedCalls, ...args: ArgumentRule[]): SeccompRule => ({
  ...{ names: [name], action: "SCMP_ACT_ALLOW", args },
});
const refuse = (names: string[], errnoRet: number): SeccompRule => ({
  ...{ names, action: "SCMP_ACT_ERRNO", errnoRet },
});

/**
 * The system calls of a container: a list of what is allowed, from the same tables as the filter of the process driver. It is narrower than the engines' own default,
 * which lets code trace its own processes, use io_uring, and open sockets of any family. null: there is no list for this architecture.
 */
export function seccompProfile(arch: NodeJS.Architecture): SeccompProfile | null {
  const architecture = architectures[arch];
  if (architecture === undefined) return null;
  return {
    defaultAction: "SCMP_ACT_ERRNO",
    // What is newer than the list does not exist.
    defaultErrnoRet: ENOSYS,
    // Calls of any other, 32 bits of the same machine too, end the process.
    architectures: [architecture],
    syscalls: [
      { names: [...plainCalls], action: "SCMP_ACT_ALLOW" },
      refuse(Object.keys(refusedCalls), EPERM),
      ...judged(),
    ],
  };
}

/** What is not allowed by one of these is refused by the default. */
function judged(): SeccompRule[] {
  const { family, socketKinds, socketKindMask, internetProtocols } = callRules;
  const internet = [family.inet, family.inet6].flatMap((each) =>
    socketKinds.flatMap((kind) =>
      internetProtocols.map((protocol) =>
        allow("socket", word(0, each), masked(1, socketKindMask, kind), word(2, protocol)),
      ),
    ),
  );
  return [
    allow("clone", masked(0, callRules.namespaceFlags, 0)),
    refuse(["clone3"], ENOSYS),
    allow("socket", word(0, family.unix)),
    ...internet,
    allow("socket", word(0, family.netlink), word(2, callRules.netlinkRoute)),
    allow("socketpair", word(0, family.unix)),
    ...blocksWithout(callRules.terminalRequests).map(({ mask, value }) =>
      allow("ioctl", masked(1, mask, value)),
    ),
    ...callRules.personalities.map((value) => allow("personality", equal(0, value))),
    ...fileKinds().flatMap((kind) => [
      allow("mknod", masked(1, callRules.fileKindMask, kind)),
      allow("mknodat", masked(2, callRules.fileKindMask, kind)),
    ]),
  ];
}

/** All kinds of files that `mknod` knows, but devices. */
function fileKinds(): number[] {
  const kinds = Array.from({ length: 16 }, (_, at) => at * 0o010000);
  return kinds.filter((kind) => !(callRules.deviceKinds as readonly number[]).includes(kind));
}

/**
 * Blocks that together hold every value of 32 bits but the excluded ones: a value is in a block when `(value & mask) === block.value`. Filters can only ask whether
 * something is equal under a mask.
 */
export function blocksWithout(excluded: readonly number[]): { mask: number; value: number }[] {
  const blocks: { mask: number; value: number }[] = [];
  const split = (value: number, freeBits: number): void => {
    const size = 2 ** freeBits;
    const inside = excluded.some((each) => each >= value && each < value + size);
    if (!inside) blocks.push({ mask: LOW_32 - (size - 1), value });
    else if (freeBits > 0) {
      split(value, freeBits - 1);
      split(value + size / 2, freeBits - 1);
    }
  };
  split(0, 32);
  return blocks;
}
