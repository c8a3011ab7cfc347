import assert from "node:assert/strict";
import type { FilterArch } from "./syscalls.ts";

/** `struct sock_filter` of the kernel: one step of classic BPF. */
export type Step = [code: number, ifTrue: number, ifFalse: number, value: number];

const STEP_BYTES = 8;
const STEPS_MAX = 4096;
export const [JUMP_IF_EQUAL, JUMP_IF_AT_LEAST, JUMP_IF_ANY_BIT] = [0x15, 0x35, 0x45];
/** `struct seccomp_data`: the number, the architecture, the instruction pointer, six arguments of 64 bits. */
export const NUMBER_AT = 0;
export const ARCH_AT = 4;
export const ARGUMENTS_AT = 16;

/** Of `linux/audit.h`; a 32-bit call on the same machine has another one. */
export const auditArchs: Record<FilterArch, number> = { x64: 0xc000003e, arm64: 0xc00000b7 };

export const load = (at: number): Step => [0x20, 0, 0, at];
const ret = (value: number): Step => [0x06, 0, 0, value];
export const allow = ret(0x7fff0000);
export const kill = ret(0x80000000);
export const refuse = (errno: number): Step => ret(0x00050000 | errno);

/** Runs the steps where the value at hand is this one; they end with a return. */
export const when = (value: number, steps: Step[]): Step[] => [
  [JUMP_IF_EQUAL, 0, steps.length, value],
  ...steps,
];

/** For `seccomp(2)`, with the byte order of both architectures. */
export function encode(steps: readonly Step[]): Buffer {
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
