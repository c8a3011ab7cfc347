import type { Duplex } from "node:stream";
import { IsolaError } from "../../errors.ts";
import type { SandboxLimits } from "../driver.ts";
import { signalOf } from "../exit-status.ts";
import { within } from "./deadline.ts";

const LINE_BYTES_MAX = 4096;
const CLOCK_MS_MAX = 100;
const CLOCK_TRIES_MAX = 5;
const QUESTIONS_MAX = 64;
const ANSWER_MS_MAX = 5000;
const RANDOM_BYTES = 128;

export interface AgentEvents {
  /** How the runtime's first process has ended. */
  onExit?(exit: { exitCode: number | null; signal: string | null }): void;
  onOutOfMemory?(): void;
  onProblem?(problem: string): void;
}

/** What a runtime starts with. */
export interface AgentStart {
  epochNs: bigint;
  /** 128 bytes, of which nobody else has any. */
  seed: Buffer;
  limits: SandboxLimits;
  tmpBytes: number;
}

/**
 * The host's end of the channel to init (images/microvm/README.md). Nothing that comes is trusted: lines, questions and waits have bounds, and what is not understood is a problem,
 * told once. Rejections are `IsolaError`s.
 */
export class Agent {
  readonly up: Promise<void>;
  readonly gate: Promise<void>;
  readonly #stream: Duplex;
  readonly #events: AgentEvents;
  readonly #up = Promise.withResolvers<void>();
  readonly #gate = Promise.withResolvers<void>();
  readonly #questions = new Map<number, PromiseWithResolvers<string>>();
  #asked = 0;
  #text = "";
  #hasComplained = false;
  #isClosed = false;

  constructor(stream: Duplex, events: AgentEvents) {
    this.#stream = stream;
    this.#events = events;
    this.up = this.#up.promise;
    this.gate = this.#gate.promise;
    for (const promise of [this.up, this.gate]) promise.catch(() => {}); // not everybody waits for both
    stream.on("data", (chunk: Buffer) => this.#onData(chunk.toString("latin1")));
    stream.on("error", () => this.#close());
    for (const end of ["end", "close"]) stream.on(end, () => this.#close());
  }

  /** Answered at once; `gate` resolves when the runtime stands there. */
  async prepare({ limits, tmpBytes }: Pick<AgentStart, "limits" | "tmpBytes">): Promise<void> {
    await this.#ask(`prepare ${limits.memoryBytes} ${limits.pidsMax} ${tmpBytes}`);
  }

  /** Resolves when the runtime has gone through its gate. `msMax`: the start of a runtime may be part of it. */
  async start({ epochNs, seed, limits, tmpBytes }: AgentStart, msMax: number): Promise<void> {
    if (seed.length !== RANDOM_BYTES) throw new Error(`a seed has ${RANDOM_BYTES} bytes`);
    const { memoryBytes, pidsMax } = limits;
    const line = `start ${epochNs} ${seed.toString("hex")} ${memoryBytes} ${pidsMax} ${tmpBytes}`;
    await this.#ask(line, msMax);
  }

  async setLimits({ memoryBytes, pidsMax }: SandboxLimits): Promise<void> {
    await this.#ask(`limits ${memoryBytes} ${pidsMax}`);
  }

  async setTime(epochNs: bigint): Promise<void> {
    await this.#ask(`time ${epochNs}`);
  }

  /** The clock, however long a busy machine needs to hear of it: the time is told anew until it was taken within `CLOCK_MS_MAX`, a few times at most. */
  async keepTime(epochNs: () => bigint): Promise<void> {
    for (let tries = 0; tries < CLOCK_TRIES_MAX; tries += 1) {
      const askedAt = performance.now();
      await this.setTime(epochNs());
      if (performance.now() - askedAt <= CLOCK_MS_MAX) return;
    }
  }

  async #ask(line: string, msMax = ANSWER_MS_MAX): Promise<string> {
    const [word = ""] = line.split(" ");
    if (this.#isClosed) throw failure(`${word}: the guest's init has gone`);
    if (this.#questions.size >= QUESTIONS_MAX) throw failure(`${word}: the guest does not answer`);
    this.#asked += 1;
    const number = this.#asked;
    const answer = Promise.withResolvers<string>();
    this.#questions.set(number, answer);
    this.#stream.write(`${number} ${line}\n`);
    try {
      return await within(msMax, `the guest's answer to ${word}`, answer.promise);
    } catch (error) {
      throw failure((error as Error).message, error);
    } finally {
      this.#questions.delete(number);
    }
  }

  #onData(text: string): void {
    if (this.#isClosed) return;
    this.#text += text;
    const lines = this.#text.split("\n");
    this.#text = lines.pop() as string;
    if ([this.#text, ...lines].some((line) => line.length > LINE_BYTES_MAX)) {
      this.#complain(`a line of more than ${LINE_BYTES_MAX} bytes`);
      this.#stream.destroy();
      return this.#close();
    }
    for (const line of lines) this.#onLine(line);
  }

  #onLine(line: string): void {
    const [first = "", second = "", ...rest] = line.split(" ");
    if (line === "up 1") return this.#up.resolve();
    if (line === "gate") return this.#gate.resolve();
    if (line === "oom") return this.#events.onOutOfMemory?.();
    if (first === "exit") return this.#onExit(second, Number(rest[0]), line);
    if (first === "problem") return this.#complain(line.slice("problem ".length));
    if (first === "up") {
      const why = `the guest speaks version ${second.slice(0, 20)} of its lines, not 1`;
      return this.#up.reject(failure(why));
    }
    const question = this.#questions.get(Number(first));
    if (question !== undefined && second === "ok") return question.resolve(rest.join(" "));
    if (question !== undefined && second === "failed")
      return question.reject(failure(rest.join(" ").slice(0, 500)));
    // An answer that came too late, or nonsense.
    if (!/^\d+ (ok|failed)\b/.test(line)) this.#complain(`a line that nobody knows: ${line}`);
  }

  #onExit(kind: string, number: number, line: string): void {
    const isCode = kind === "code" && Number.isInteger(number) && number >= 0 && number <= 255;
    const signal = kind === "signal" ? signalOf(128 + number) : null;
    if (!isCode && signal === null) return this.#complain(`an end that nobody knows: ${line}`);
    this.#events.onExit?.({ exitCode: isCode ? number : null, signal });
  }

  #complain(problem: string): void {
    if (this.#hasComplained) return;
    this.#hasComplained = true;
    this.#events.onProblem?.(problem.slice(0, 300));
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#text = "";
    const gone = failure("the guest's init has gone");
    this.#up.reject(gone);
    this.#gate.reject(gone);
    for (const question of this.#questions.values()) question.reject(gone);
  }
}

function failure(text: string, cause?: unknown): IsolaError {
  return new IsolaError("sandbox_start_failed", text, { cause });
}
