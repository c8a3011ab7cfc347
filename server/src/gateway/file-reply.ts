import { type WriteStream, createWriteStream } from "node:fs";
import { once } from "node:events";
import type { Reply } from "./reply.ts";

const SAID_BYTES_MAX = 65_536;
const OK = 200;

/** Writes an answer with status 200 to a file, up to a bound; keeps the beginning of any other as words. */
export class FileReply implements Reply {
  onDrain: () => void = () => {};
  onGone: () => void = () => {};
  /** What makes the answer worthless: too many bytes, or a disk that does not take them. */
  problem: string | null = null;
  status = 0;
  hasHead = false;
  readonly #path: string;
  readonly #bytesMax: number;
  #file: WriteStream | null = null;
  #bytes = 0;
  #said: Buffer[] = [];
  #isComplete = false;

  constructor(path: string, bytesMax: number) {
    this.#path = path;
    this.#bytesMax = bytesMax;
  }

  get said(): string {
    return Buffer.concat(this.#said).toString("utf8");
  }

  head(status: number): void {
    this.hasHead = true;
    this.status = status;
    if (status !== OK) return;
    const file = createWriteStream(this.#path, { flags: "wx", mode: 0o600 });
    file.on("drain", () => this.onDrain());
    file.on("error", (error) => this.#fail(`what it made could not be kept: ${error.message}`));
    this.#file = file;
  }

  body(bytes: Buffer): boolean {
    this.#bytes += bytes.length;
    if (this.#file === null) {
      if (this.#bytes <= SAID_BYTES_MAX) this.#said.push(Buffer.from(bytes));
      return true;
    }
    if (this.problem !== null) return true;
    if (this.#bytes > this.#bytesMax) {
      this.#fail(`what it made has more than ${this.#bytesMax} bytes`);
      return true;
    }
    return this.#file.write(Buffer.from(bytes));
  }

  end(bytes?: Buffer): void {
    if (bytes !== undefined) this.body(bytes);
    this.#isComplete = true;
    this.#file?.end();
  }

  flush(): void {}

  cut(): void {
    this.#file?.end();
  }

  /** Resolves with whether the answer is there whole, once nothing more is written. `isOk`: it has been ended, or never will be. */
  async written(isOk: boolean): Promise<boolean> {
    const file = this.#file;
    if (!isOk) file?.destroy();
    if (file !== null && !file.closed) await once(file, "close").catch(() => {}); // told by `problem`
    return isOk && this.#isComplete && this.problem === null;
  }

  /** The sandbox need not go on. */
  #fail(problem: string): void {
    this.problem ??= problem;
    this.#file?.destroy();
    setImmediate(() => {
      this.onDrain();
      this.onGone();
    });
  }
}
