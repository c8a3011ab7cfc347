const PAGE = 0x1000;
const [ELF_BYTES, HEADER_BYTES, SYMBOL_BYTES, RELOCATION_BYTES] = [64, 56, 24, 24];
const [SHARED, X86_64] = [3, 62];
const [READ, WRITE, RUN] = [4, 2, 1];
const segments = { load: 1, dynamic: 2, stack: 0x6474e551 };
const tags = {
  hash: 4,
  strtab: 5,
  symtab: 6,
  rela: 7,
  relasz: 8,
  relaent: 9,
  strsz: 10,
  syment: 11,
};
const [GLOBAL_FUNCTION, GLOB_DAT] = [0x12, 6];

const HEADERS = [segments.load, segments.load, segments.dynamic, segments.stack] as const;
const STRINGS = "\0RAND_poll\0napi_register_module_v1\0";
const NAMES = { needed: 1, own: STRINGS.indexOf("napi") };

const SYMBOLS_AT = ELF_BYTES + HEADERS.length * HEADER_BYTES;
const RELOCATION_AT = SYMBOLS_AT + 3 * SYMBOL_BYTES;
const HASH_AT = RELOCATION_AT + RELOCATION_BYTES;
const hash = [1, 3, 2, 0, 0, 0];
const STRINGS_AT = HASH_AT + 4 * hash.length;
const CODE_AT = Math.ceil((STRINGS_AT + STRINGS.length) / 16) * 16;
const CALL_END = 7;
const code = [
  "56", // napi_register_module_v1(env, exports): push rsi
  "ff15 00000000", // eax = RAND_poll()
  "59 83f801 7504", // not 1: stop
  "4889c8 c3", // return exports
  "0f0b", // stop: ud2
];
const steps = Buffer.from(code.join("").replaceAll(" ", ""), "hex");
/** What is written to when it is loaded, on a page of its own. */
const DYNAMIC_AT = CODE_AT + steps.length + 16 - ((CODE_AT + steps.length) % 16);
const dynamic: [number, number][] = [
  [tags.hash, HASH_AT],
  [tags.strtab, STRINGS_AT],
  [tags.symtab, SYMBOLS_AT],
  [tags.strsz, STRINGS.length],
  [tags.syment, SYMBOL_BYTES],
  [tags.rela, RELOCATION_AT],
  [tags.relasz, RELOCATION_BYTES],
  [tags.relaent, RELOCATION_BYTES],
  [0, 0],
];
const POINTER_AT = DYNAMIC_AT + 16 * dynamic.length;
const END = POINTER_AT + 8;

/**
 * A module for Node.js (Node-API) that does one thing when it is loaded: has OpenSSL seed its generator from the kernel anew, and with it all that are seeded from that
 * one. Nothing in Node.js does that, and a process that goes on from a snapshot would else share what OpenSSL draws, keys too, with all its siblings. The process is
 * killed by SIGILL where it cannot be done; one whose Node.js has not `RAND_poll` of OpenSSL cannot load it. Machine code, as the first process is.
 */
export function reseedModule(): Buffer {
  const bytes = Buffer.alloc(END);
  header(bytes);
  // Symbols 1 and 2, after one that is empty.
  symbol(bytes, SYMBOLS_AT + SYMBOL_BYTES, [NAMES.needed, 0, 0]);
  symbol(bytes, SYMBOLS_AT + 2 * SYMBOL_BYTES, [NAMES.own, 1, CODE_AT]);
  words(bytes, RELOCATION_AT, [PAGE + POINTER_AT, 2 ** 32 + GLOB_DAT, 0]);
  for (const [at, value] of hash.entries()) bytes.writeUInt32LE(value, HASH_AT + 4 * at);
  bytes.write(STRINGS, STRINGS_AT, "latin1");
  steps.copy(bytes, CODE_AT);
  bytes.writeInt32LE(PAGE + POINTER_AT - (CODE_AT + CALL_END), CODE_AT + CALL_END - 4);
  words(bytes, DYNAMIC_AT, dynamic.flat());
  return bytes;
}

function header(bytes: Buffer): void {
  bytes.write("\x7fELF\x02\x01\x01", "latin1");
  bytes.writeUInt16LE(SHARED, 16);
  bytes.writeUInt16LE(X86_64, 18);
  bytes.writeUInt32LE(1, 20);
  words(bytes, 32, [ELF_BYTES]);
  bytes.writeUInt16LE(ELF_BYTES, 52);
  bytes.writeUInt16LE(HEADER_BYTES, 54);
  bytes.writeUInt16LE(HEADERS.length, 56);
  const end = END - DYNAMIC_AT;
  const parts: [number, number, number, number, number][] = [
    [READ | RUN, 0, 0, DYNAMIC_AT, PAGE],
    [READ | WRITE, DYNAMIC_AT, PAGE + DYNAMIC_AT, end, PAGE],
    [READ | WRITE, DYNAMIC_AT, PAGE + DYNAMIC_AT, 16 * dynamic.length, 8],
    [READ | WRITE, 0, 0, 0, 16],
  ];
  for (const [at, [flags, offset, address, size, align]] of parts.entries()) {
    const place = ELF_BYTES + at * HEADER_BYTES;
    bytes.writeUInt32LE(HEADERS[at] as number, place);
    bytes.writeUInt32LE(flags, place + 4);
    words(bytes, place + 8, [offset, address, address, size, size, align]);
  }
}

function symbol(bytes: Buffer, at: number, [name, section, value]: [number, number, number]): void {
  bytes.writeUInt32LE(name, at);
  bytes.writeUInt8(GLOBAL_FUNCTION, at + 4);
  bytes.writeUInt16LE(section, at + 6);
  words(bytes, at + 8, [value, 0]);
}

function words(bytes: Buffer, at: number, values: readonly number[]): void {
  for (const [index, value] of values.entries())
    bytes.writeBigUInt64LE(BigInt(value), at + 8 * index);
}
