import { writeSync } from "node:fs";
import { FrameReader, FrameWriter } from "../../protocol/src/frames.mjs";

const EXIT_BREACH = 70;

/** @typedef {(type: number, flags: number, stream: number, buffer: Buffer, start: number, end: number) => void} OnFrame */

/**
 * The connection to the host: greeted -> reading -> ended. What arrives before `read` waits (the control stream is bounded by the
 * kernel's buffers and one turn of the event loop). A breach by the host and the end of the stream end the process.
 */
export class Session {
  /** @type {import("./control.mjs").Control | null} */
  #control = null;
  /** @type {FrameReader | null} */
  #reader = null;
  /** @type {Buffer[]} */
  #early = [];
  /** @type {string | null} */
  #closedEarly = null;
  writer = new FrameWriter((bytes) => this.control.write(bytes));

  get control() {
    if (this.#control === null) throw new Error("the control stream is not open");
    return this.#control;
  }

  /** @param {import("./control.mjs").Control} control */
  open(control) {
    this.#control = control;
  }

  /** Starts handing on frames. `onFrame` throws `FrameError` on a breach. @param {OnFrame} onFrame */
  read(onFrame) {
    this.#reader = new FrameReader("sandbox", onFrame);
    for (const chunk of this.#early.splice(0)) this.onBytes(chunk);
    if (this.#closedEarly !== null) this.onClosed(this.#closedEarly);
  }

  /** @param {Buffer} chunk */
  onBytes(chunk) {
    if (this.#reader === null) {
      this.#early.push(chunk);
      return;
    }
    try {
      this.#reader.push(chunk);
    } catch (error) {
      breach(error instanceof Error ? error.message : String(error));
    }
  }

  /** @param {string} reason */
  onClosed(reason) {
    if (this.#reader === null) {
      this.#closedEarly = reason;
      return;
    }
    if (this.#reader.pendingBytes > 0) breach("the host closed its stream inside a frame");
    endProcess(0);
  }
}

/** The host broke the protocol: says so on descriptor 2 and ends the process. @param {string} reason @returns {never} */
export function breach(reason) {
  try {
    writeSync(2, `isola: the host broke the protocol: ${reason}\n`);
  } catch {
    // Nobody reads descriptor 2; the exit code still tells.
  }
  return endProcess(EXIT_BREACH);
}

/** Ends the process with this code, whatever listeners the code of the function has. @param {number} code @returns {never} */
export function endProcess(code) {
  process.removeAllListeners("exit");
  process.exit(code);
}
