import { constants } from "node:os";
import {
  ARCH_AT,
  JUMP_IF_AT_LEAST,
  JUMP_IF_EQUAL,
  NUMBER_AT,
  allow,
  auditArchs,
  encode,
  kill,
  load,
  refuse,
  when,
} from "../../bpf.ts";

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

/** What QEMU's own filter of system calls leaves open and a VMM does not need, as bytes of classic BPF for `seccomp(2)`. */
export function callFilter(): Buffer {
  return encode([
    load(ARCH_AT),
    // For which QEMU's machine `microvm` is made.
    [JUMP_IF_EQUAL, 1, 0, auditArchs.x64],
    kill,
    load(NUMBER_AT),
    [JUMP_IF_AT_LEAST, 0, 1, SECOND_WAY],
    kill,
    ...Object.values(refused).flatMap((number) => when(number, [refuse(constants.errno.EPERM)])),
    allow,
  ]);
}
