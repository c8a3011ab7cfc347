import { constants } from "node:os";

/** `struct sock_filter` of the kernel: one step of classic BPF. */
type Step = [code: number, ifTrue: number, ifFalse: number, value: number];

const STEP_BYTES = 8;
/** `struct seccomp_data`: the number, the architecture. */
const NUMBER_AT = 0;
const ARCH_AT = 4;
/** Of `linux/audit.h`: x64, for which QEMU's machine `microvm` is made. */
const ARCH = 0xc000003e;
/** x32, the second way to call a 64-bit kernel, adds that to its numbers. */
const SECOND_WAY = 0x40000000;

/** Attributes of files: memory that machines share could have some, which seals do not keep anybody from setting. io_uring does all of that without a call. */
const refused = {
  setxattr: 188,
  lsetxattr: 189,
  fsetxattr: 190,
  removexattr: 197,
  lremovexattr: 198,
  fremovexattr: 199,
  io_uring_setup: 425,
  setxattrat: 463,
  removexattrat: 466,
};

const load = (at: number): Step => [0x20, 0, 0, at];
const allow: Step = [0x06, 0, 0, 0x7fff0000];
const kill: Step = [0x06, 0, 0, 0x80000000];
const refuse: Step = [0x06, 0, 0, 0x00050000 | constants.errno.EPERM];

/** What QEMU's own filter of system calls leaves open and a VMM does not need, as bytes of classic BPF for `seccomp(2)`. */
export function callFilter(): Buffer {
  const steps: Step[] = [
    load(ARCH_AT),
    [0x15, 1, 0, ARCH],
    kill,
    load(NUMBER_AT),
    [0x35, 0, 1, SECOND_WAY],
    kill,
    ...Object.values(refused).flatMap((number): Step[] => [[0x15, 0, 1, number], refuse]),
    allow,
  ];
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
