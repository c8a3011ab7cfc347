import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { Fault } from "./body.ts";

/** What the stand-in writes as a microVM's state: what the machine was, and QEMU's state. */
export interface SavedMachine {
  /** Version of the format, which each release has one of. */
  format: string;
  memoryMiB: number;
  vcpus: number;
  bootArgs: string;
  drives: string[];
  udsPath: string | null;
  greeting: string;
}

const MAGIC = "firecracker stand-in\n";
const DIGEST_BYTES = 32;
export const LOAD_FAULT = "Load snapshot error: Failed to restore from snapshot:";
const STATE_FAULT = `${LOAD_FAULT} Failed to get snapshot state from file: Failed to load snapshot state from file:`;

/** Magic number, length of the machine (u32), machine, state, and the digest of all of it. */
export function writeSnapshot(path: string, machine: SavedMachine, statePath: string): void {
  const text = Buffer.from(JSON.stringify(machine));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  const whole = Buffer.concat([Buffer.from(MAGIC), length, text, readFileSync(statePath)]);
  writeFileSync(path, Buffer.concat([whole, digestOf(whole)]));
}

/** Writes QEMU's state to `statePath`. Throws a `Fault` in Firecracker's words. */
export function readSnapshot(path: string, format: string, statePath: string): SavedMachine {
  const whole = readFileSync(path);
  if (whole.length < MAGIC.length + 4 + DIGEST_BYTES)
    throw new Fault(`${STATE_FAULT} IO Error: File too short to contain CRC`);
  const at = MAGIC.length + 4;
  const end = at + whole.readUInt32LE(MAGIC.length);
  const isOurs = whole.toString("latin1", 0, MAGIC.length) === MAGIC && end < whole.length;
  if (!isOurs)
    throw new Fault(`${STATE_FAULT} An error occurred during bitcode serialization: bitcode error`);
  if (!digestOf(whole.subarray(0, -DIGEST_BYTES)).equals(whole.subarray(-DIGEST_BYTES)))
    throw new Fault(`${STATE_FAULT} CRC64 validation failed`);
  const machine = JSON.parse(whole.toString("utf8", at, end)) as SavedMachine;
  if (machine.format !== format)
    throw new Fault(`${STATE_FAULT} Invalid data version: ${machine.format}`);
  writeFileSync(statePath, whole.subarray(end, -DIGEST_BYTES));
  return machine;
}

function digestOf(bytes: Buffer): Buffer {
  return createHash("sha256").update(bytes).digest();
}
