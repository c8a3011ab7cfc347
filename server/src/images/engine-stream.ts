import type { Readable } from "node:stream";
import { IsolaError } from "../errors.ts";
import { type Engine, engineError, silent } from "./engine.ts";

export type OnProgress = (line: string) => void;

/** How long a build or pull may take, and how long it may say nothing meanwhile. */
export interface WorkDeadlines {
  totalMs: number;
  silenceMs: number;
}

export const workDeadlines: WorkDeadlines = { totalMs: 15 * 60_000, silenceMs: 2 * 60_000 };

const LINE_BYTES_MAX = 1_000_000;
const LAST_LINES = 8;
/** What the engine says of each step and nobody needs to know. */
const CHATTER = /^ ?---> |^Removing intermediate container /;

/** One line of a build, a pull or an import. */
interface EngineLine {
  stream?: string;
  status?: string;
  id?: string;
  progressDetail?: { current?: number };
  error?: string;
  aux?: { ID?: string };
}

export interface EngineWork {
  /** For messages: `build isola/node:26.10.0-0123456789ab`. */
  what: string;
  onProgress: OnProgress;
  deadlines: WorkDeadlines;
  /** Ends the work. */
  signal: AbortSignal;
}

/**
 * Has the engine do something long, and follows what it says. Resolves once it has said everything and none of it was an error; otherwise rejects with
 * `driver_unavailable` that holds the engine's own last lines.
 */
export async function followEngine(
  engine: Engine,
  work: EngineWork,
  begin: (signal: AbortSignal) => Promise<NodeJS.ReadableStream>,
): Promise<void> {
  const { what, deadlines } = work;
  const stopping = new AbortController();
  const silence = setTimeout(() => stopping.abort(), deadlines.silenceMs);
  const total = setTimeout(() => stopping.abort(), deadlines.totalMs);
  const startedAt = performance.now();
  const signal = AbortSignal.any([stopping.signal, work.signal]);
  const told = new ToldLines(work.onProgress);
  try {
    const answer = (await begin(signal)) as Readable;
    signal.addEventListener("abort", () => answer.destroy(new Error("given up")), { once: true });
    for await (const line of linesOf(answer)) {
      silence.refresh();
      told.take(line);
    }
  } catch (cause) {
    if (cause instanceof IsolaError) throw cause;
    if (work.signal.aborted)
      throw new IsolaError("shutting_down", `${what} was given up`, { cause });
    if (!stopping.signal.aborted) throw engineError(engine, what, cause);
    const tookMs = performance.now() - startedAt;
    if (tookMs < deadlines.totalMs) throw silent(engine, what, deadlines.silenceMs, cause);
    throw tooLong(engine, work, told);
  } finally {
    clearTimeout(silence);
    clearTimeout(total);
  }
  if (told.error !== null) throw failed(engine, work, told);
}

/** Keeps the last lines, and the error among them. */
class ToldLines {
  error: string | null = null;
  readonly last: string[] = [];
  readonly #onProgress: OnProgress;

  constructor(onProgress: OnProgress) {
    this.#onProgress = onProgress;
  }

  take(line: string): void {
    const parsed = parse(line);
    if (parsed.error !== undefined) {
      this.error = parsed.error;
      return;
    }
    // Bytes so far, many times a second: no news.
    if (parsed.progressDetail?.current !== undefined) return;
    const status = parsed.id === undefined ? parsed.status : `${parsed.id}: ${parsed.status}`;
    for (const text of (parsed.stream ?? status ?? "").split("\n")) {
      if (text.trim() === "" || CHATTER.test(text)) continue;
      this.#onProgress(text.trimEnd());
      this.last.push(text.trim());
      if (this.last.length > LAST_LINES) this.last.shift();
    }
  }

  toString(): string {
    return this.last.length === 0
      ? "it had said nothing"
      : `it said last:\n  ${this.last.join("\n  ")}`;
  }
}

function parse(line: string): EngineLine {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return { stream: line }; // not JSON: worth showing as it is
  }
}

function failed(engine: Engine, { what }: EngineWork, told: ToldLines): IsolaError {
  const text = `the Docker Engine at ${engine.host} could not ${what}: ${told.error}\n${told.toString()}`;
  return new IsolaError("driver_unavailable", text);
}

function tooLong(engine: Engine, { what, deadlines }: EngineWork, told: ToldLines): IsolaError {
  const text = `the Docker Engine at ${engine.host} did not ${what} within ${deadlines.totalMs / 1000} s; ${told.toString()}`;
  return new IsolaError("driver_unavailable", text);
}

async function* linesOf(stream: Readable): AsyncGenerator<string, void, void> {
  let rest = "";
  for await (const chunk of stream.setEncoding("utf8") as AsyncIterable<string>) {
    const lines = (rest + chunk).split("\n");
    rest = (lines.pop() as string).slice(0, LINE_BYTES_MAX);
    yield* lines.filter((line) => line.trim() !== "");
  }
  if (rest.trim() !== "") yield rest;
}
