import { Flag, FrameReader, FrameWriter, Type } from "../../protocol/src/frames.mjs";
import type { Sandbox } from "../../server/src/drivers/driver.ts";

const TIMEOUT_MS = 30_000;
const requestHeaders = [
  ...["host", "127.0.0.1:8080", "user-agent", "bench/1", "accept", "*/*"],
  ...["x-forwarded-for", "127.0.0.1", "x-forwarded-proto", "http"],
];

/** The host's end of one sandbox's stream: waits for frames by type, one waiting caller at a time. */
export class SandboxClient {
  readonly sandbox: Sandbox;
  readonly #writer: FrameWriter;
  #streams = 0;
  #isWanted: (type: number, flags: number, stream: number) => boolean = () => false;
  #onFound: (payload: Buffer) => void = () => {};
  #onLost: (error: Error) => void = () => {};
  #output = "";

  constructor(sandbox: Sandbox) {
    this.sandbox = sandbox;
    this.#writer = new FrameWriter((bytes) => sandbox.control.write(bytes));
    // oxlint-disable-next-line max-params -- the codec hands a frame on without making an object of it
    const reader = new FrameReader("host", (type, flags, stream, buffer, start, end) => {
      if (type === Type.ERROR) this.#lose(buffer.toString("utf8", start, end));
      if (this.#isWanted(type, flags, stream)) this.#onFound(buffer.subarray(start, end));
    });
    sandbox.control.on("data", (chunk: Buffer) => reader.push(chunk));
    sandbox.stdout.resume();
    sandbox.stderr.on("data", (chunk: Buffer) => (this.#output += chunk.toString()));
    void sandbox.exited.then((exit) => this.#lose(`it ended: ${JSON.stringify(exit)}`));
  }

  hello(): Promise<Buffer> {
    return this.#until((type) => type === Type.HELLO);
  }

  /** Sends the code as the gateway does, in one write; resolves with READY. */
  claim(settings: object, archive: Buffer): Promise<Buffer> {
    const ready = this.#until((type) => type === Type.READY);
    this.#writer.json(Type.INIT, 0, settings);
    this.#writer.frame(Type.CODE, 0, 0, archive);
    this.#writer.frame(Type.CODE, Flag.END, 0);
    this.#writer.flush();
    return ready;
  }

  /** Makes `count` calls at once; resolves when the last is answered. */
  async call(count: number): Promise<void> {
    let open = count;
    const answered = this.#until(
      (type, flags) =>
        (type === Type.HEAD || type === Type.BODY) && (flags & Flag.END) !== 0 && --open === 0,
    );
    for (let i = 0; i < count; i++) {
      const stream = ++this.#streams;
      const fixed = [`0193f2a1-${stream}`, "GET", "/", "/hello", "127.0.0.1", "HTTP/1.1", "http"];
      const lines = [...fixed, "$default", "", ...requestHeaders].join("\n");
      this.#writer.invoke(Flag.END, stream, TIMEOUT_MS, Date.now() + TIMEOUT_MS, lines);
    }
    this.#writer.flush();
    await answered;
  }

  /** CPU time of the runtime's process since its start, in microseconds. */
  async cpuMicros(): Promise<number> {
    const pong = this.#until((type) => type === Type.PONG);
    this.#writer.frame(Type.PING, 0, 0, Buffer.alloc(8));
    this.#writer.flush();
    return (await pong).readDoubleLE(8);
  }

  #until(isWanted: (type: number, flags: number, stream: number) => boolean): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.#isWanted = isWanted;
      this.#onFound = resolve;
      this.#onLost = reject;
    });
  }

  #lose(why: string): void {
    this.#onLost(new Error(`${this.sandbox.id}: ${why}\n${this.#output}`));
  }
}
