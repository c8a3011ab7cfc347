import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { stat } from "node:fs/promises";
import type { Readable } from "node:stream";
import { untilAborted, within } from "../deadline.ts";

/** The descriptor of the sealer's memory (images/microvm/host/seal-memory.c). */
const SEALED_FD = 3;
const SEAL_MS_MAX = 30_000;
/** Memory that no machine has begun with for so long is given back; it is read from disk again when it is needed. */
const REST_MS_MAX = 600_000;
const WORDS_CHARS_MAX = 500;

interface Held {
  descriptor: number;
  rest: NodeJS.Timeout;
}

/**
 * Memory of snapshots, read into sealed memory files: machines map them privately, so that what one changes is its own, all else is there once, and the kernel keeps whoever has one
 * open, a VMM that was taken over among them, from changing it for others.
 */
export class SealedMemories {
  readonly #restMs: number;
  readonly #sealMsMax: number;
  readonly #held = new Map<string, Promise<Held>>();

  constructor({ restMs = REST_MS_MAX, sealMsMax = SEAL_MS_MAX } = {}) {
    this.#restMs = restMs;
    this.#sealMsMax = sealMsMax;
  }

  /**
   * A descriptor of the caller's own, for reading. `file`: what the memory is; `sealer`: path of the program. Rejects with an `Error`: at once when the signal is aborted, and then the
   * memory is there for others all the same.
   */
  async open(file: string, sealer: string, signal: AbortSignal): Promise<number> {
    const { ino, mtimeNs, size } = await stat(file, { bigint: true });
    const key = [file, ino, mtimeNs, size].join("\n");
    let holding = this.#held.get(key);
    if (holding === undefined) {
      holding = seal(file, sealer, this.#sealMsMax).then((descriptor) =>
        this.#hold(key, descriptor),
      );
      this.#held.set(key, holding);
      holding.catch(() => this.#held.delete(key)); // told to who has asked
    }
    const aborted = untilAborted(signal);
    try {
      const { descriptor, rest } = await Promise.race([holding, aborted.promise]);
      rest.refresh();
      return openSync(`/proc/self/fd/${descriptor}`, "r");
    } finally {
      aborted.forget();
    }
  }

  #hold(key: string, descriptor: number): Held {
    const giveBack = () => {
      this.#held.delete(key);
      closeSync(descriptor);
    };
    return { descriptor, rest: setTimeout(giveBack, this.#restMs).unref() };
  }
}

async function seal(file: string, sealer: string, msMax: number): Promise<number> {
  const descriptor = openSync(file, "r");
  let child: ChildProcess;
  try {
    child = spawn(sealer, [], { stdio: [descriptor, "pipe", "pipe"], env: {}, cwd: "/" });
  } finally {
    closeSync(descriptor);
  }
  try {
    await within(msMax, "a copy of a snapshot's memory", sealed(child));
    return openSync(`/proc/${child.pid}/fd/${SEALED_FD}`, "r");
  } finally {
    child.kill("SIGKILL");
  }
}

async function sealed(child: ChildProcess): Promise<void> {
  if (child.pid === undefined) {
    // It has no streams either, where there were no descriptors for them.
    const [error] = await once(child, "error");
    throw error;
  }
  let words = "";
  (child.stderr as Readable).on("data", (chunk: Buffer) => {
    words = (words + chunk.toString("latin1")).slice(0, WORDS_CHARS_MAX);
  });
  const said = once(child.stdout as Readable, "data");
  const closed = once(child, "close").then(([code, signal]) => {
    throw new Error(
      `a snapshot's memory cannot be kept: the sealer ended with ${signal ?? code}: ${words.trim()}`,
    );
  });
  await Promise.race([said, closed]);
}
