const PAGE = 0x1000;
const BASE = 0x400000;
const ELF_BYTES = 64;
const HEADER_BYTES = 56;
const CODE_AT = ELF_BYTES + HEADER_BYTES;
const [EXECUTABLE, X86_64] = [2, 62];
const [LOAD, READ_AND_RUN] = [1, 5];

/** With which it ends when nothing is to be started, once something has come from its descriptor 0, or the end of it. */
export const NOTHING_TO_DO = 64;

/**
 * The first process of a sandbox, of which gVisor has none of its own: starts the rest of its arguments as a child, whose descriptor 3 is what its own 0 was, and whose
 * 0 is /dev/null; closes its own descriptors 0 to 3, reaps whatever has lost its parent, and ends as the child has: with its code, or with 128 + the number of its
 * signal. 71: it could not start it; 127: there is no such program. Machine code, so that no compiler is needed where the server runs.
 */
const code = [
  "488b1c24 4c8d642410 4c8d6cdc10", // rbx = argc, r12 = argv + 1, r13 = envp
  "4883fb02 7c6b", // argc < 2: idle
  "6a115f 31f6 31d2 4531d2 4531c0 6a3858 0f05", // eax = clone(SIGCHLD, 0, 0, 0, 0)
  "bf47000000 85c0 7849 7460 89c3", // edi = 71; < 0: leave; 0: child; ebx = pid
  "6a03415c 4489e7 6a0358 0f05 41ffcc 79f3", // for (r12 = 3; r12 >= 0; r12 -= 1) close(r12)
  "50", // room for the status
  "6aff5f 4889e6 31d2 4531d2 6a3d58 0f05", // wait: eax = wait4(-1, rsp, 0, 0)
  "83f8f6 bf47000000 7419", // edi = 71; ECHILD: leave
  "39d8 75e2", // another one: wait
  "8b0424 89c7 83e77f 7408", // edi = signal; none: exited
  "81cf80000000 eb03", // edi += 128; leave
  "0fb6fc", // exited: edi = code
  "b8e7000000 0f05", // leave: exit_group(edi)
  "31c0 31ff 50 4889e6 6a015a 0f05", // idle: read(0, rsp, 1)
  "6a405f ebe7", // edi = 64; leave
  "6a2158 31ff 6a035e 0f05", // child: dup2(0, 3)
  "6a0358 31ff 0f05", // close(0)
  "6a6c 48b82f6465762f6e756c 50 4889e7 31f6 6a0258 0f05", // eax = open("/dev/null", O_RDONLY)
  "85c0 bf47000000 75b6", // edi = 71; not 0: leave
  "498b3c24 4c89e6 4c89ea 6a3b58 0f05", // execve(argv[1], argv + 1, envp)
  "6a7f5f eba2", // edi = 127; leave
];

/** As an ELF file for x86-64, without libraries, whose only segment can be read and run. */
export function initProgram(): Buffer {
  const steps = Buffer.from(code.join("").replaceAll(" ", ""), "hex");
  const bytes = Buffer.alloc(CODE_AT + steps.length);
  bytes.write("\x7fELF\x02\x01\x01", "latin1");
  bytes.writeUInt16LE(EXECUTABLE, 16);
  bytes.writeUInt16LE(X86_64, 18);
  bytes.writeUInt32LE(1, 20);
  bytes.writeBigUInt64LE(BigInt(BASE + CODE_AT), 24);
  bytes.writeBigUInt64LE(BigInt(ELF_BYTES), 32);
  bytes.writeUInt16LE(ELF_BYTES, 52);
  bytes.writeUInt16LE(HEADER_BYTES, 54);
  bytes.writeUInt16LE(1, 56);
  const segment = bytes.subarray(ELF_BYTES);
  segment.writeUInt32LE(LOAD, 0);
  segment.writeUInt32LE(READ_AND_RUN, 4);
  for (const at of [16, 24]) segment.writeBigUInt64LE(BigInt(BASE), at);
  for (const at of [32, 40]) segment.writeBigUInt64LE(BigInt(bytes.length), at);
  segment.writeBigUInt64LE(BigInt(PAGE), 48);
  steps.copy(bytes, CODE_AT);
  return bytes;
}
