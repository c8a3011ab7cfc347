import type { Duplex } from "node:stream";
import { within } from "../deadline.ts";

const LINE_BYTES_MAX = 2 ** 20;
const ANSWER_MS_MAX = 10_000;

interface Answer {
  return?: unknown;
  error?: { class: string; desc: string };
}

/** QEMU's monitor protocol: JSON, one line each way, one question at a time. `open` comes first. Every rejection is an `Error`. */
export class Qmp {
  readonly #stream: Duplex;
  #text = "";
  #waiting: PromiseWithResolvers<Record<string, unknown>> | null = null;
  #failure: Error | null = null;
  readonly #greeting = Promise.withResolvers<Record<string, unknown>>();

  constructor(stream: Duplex) {
    this.#stream = stream;
    this.#greeting.promise.catch(() => {}); // `open` may never be called
    stream.setEncoding("utf8");
    stream.on("data", (text: string) => this.#onData(text));
    stream.on("error", (error) => this.#fail(error));
    stream.on("close", () => this.#fail(new Error("the monitor has closed")));
  }

  async open(): Promise<void> {
    await within(ANSWER_MS_MAX, "the monitor's greeting", this.#greeting.promise);
    await this.execute("qmp_capabilities");
  }

  async execute<T>(command: string, args?: Record<string, unknown>): Promise<T> {
    if (this.#failure !== null) throw this.#failure;
    if (this.#waiting !== null) throw new Error(`${command}: another command is under way`);
    this.#waiting = Promise.withResolvers();
    const { promise } = this.#waiting;
    this.#stream.write(
      `${JSON.stringify({ execute: command, ...(args && { arguments: args }) })}\n`,
    );
    const answer: Answer = await within(ANSWER_MS_MAX, `the answer to ${command}`, promise);
    if (answer.error) throw new Error(`${command}: ${answer.error.desc}`);
    return answer.return as T;
  }

  close(): void {
    this.#stream.destroy();
  }

  #onData(text: string): void {
    this.#text += text;
    if (this.#text.length > LINE_BYTES_MAX) return this.#fail(new Error("a line without an end"));
    const lines = this.#text.split("\n");
    this.#text = lines.pop() as string;
    for (const line of lines) this.#onLine(line);
  }

  #onLine(line: string): void {
    let message: Record<string, unknown>;
    try {
      message = JSON.parse(line);
    } catch {
      return this.#fail(new Error(`not JSON: ${line.slice(0, 100)}`));
    }
    if ("QMP" in message) return this.#greeting.resolve(message);
    if ("event" in message) return;
    this.#waiting?.resolve(message);
    this.#waiting = null;
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#text = "";
    this.#greeting.reject(this.#failure);
    this.#waiting?.reject(this.#failure);
    this.#waiting = null;
  }
}
