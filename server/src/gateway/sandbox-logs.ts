import type { SandboxLog } from "@isola/protocol/channel-types";
import type { Clock } from "../domain/clock.ts";
import type { DeployedFunction } from "../domain/function.ts";
import type { LogRecord } from "../domain/invocation.ts";
import { fixedLimits } from "../domain/limits.ts";
import type { PooledSandbox } from "../pool/pooled-sandbox.ts";
import { RevisionPool } from "../pool/revision-pool.ts";
import type { Invocation } from "./invocation.ts";
import { LineSplitter } from "./line-splitter.ts";

/** Ended invocations remembered per sandbox, for lines that come late. */
const REMEMBERED_MAX = 32;
/** Lines outside of any invocation: this many bytes per sandbox and minute. */
const OUTSIDE_WINDOW_MS = 60_000;

type File = "stdout" | "stderr";

/** What one sandbox writes, on its way to log records. */
class SandboxLogState {
  readonly invocations = new Map<number, Invocation>();
  readonly pieces = new Map<string, { text: string; bytes: number }>();
  readonly raw: Partial<Record<File, LineSplitter>> = {};
  outsideBytes = 0;
  outsideSince = 0;
  isOutsideMarked = false;
}

export interface SandboxLogsOptions {
  clock: Clock;
  onRecord(record: LogRecord): void;
  /** Output of a sandbox that serves no function. */
  onStray(sandboxId: string, text: string): void;
}

/** Gives every line that comes out of a sandbox to its function and invocation, in bounds: per line, per invocation, and per minute outside of one. */
export class SandboxLogs {
  readonly #options: SandboxLogsOptions;
  readonly #states = new WeakMap<PooledSandbox, SandboxLogState>();

  constructor(options: SandboxLogsOptions) {
    this.#options = options;
  }

  /** From now on the stream's lines are the invocation's. */
  opened(sandbox: PooledSandbox, stream: number, invocation: Invocation): void {
    const { invocations } = this.#state(sandbox);
    invocations.set(stream, invocation);
    if (invocations.size <= REMEMBERED_MAX) return;
    for (const [oldest, known] of invocations) {
      if (known.isOver) invocations.delete(oldest);
      return;
    }
  }

  /** A `LOG` frame. Pieces of a long line are put together first. */
  onLog(sandbox: PooledSandbox, log: SandboxLog): void {
    const state = this.#state(sandbox);
    const file: File = log.isStderr ? "stderr" : "stdout";
    const key = `${log.stream}${file}`;
    const before = state.pieces.get(key);
    const text = before === undefined ? log.text : before.text + log.text;
    const bytes = (before?.bytes ?? 0) + Buffer.byteLength(log.text);
    const isOver = bytes > fixedLimits.logLineBytesMax;
    if (log.isPartial) {
      if (!isOver) state.pieces.set(key, { text, bytes });
      if (state.pieces.size > REMEMBERED_MAX * 64) state.pieces.clear();
      return;
    }
    state.pieces.delete(key);
    const invocation = log.stream === 0 ? null : (state.invocations.get(log.stream) ?? null);
    const at = log.at > 0 ? log.at : this.#options.clock.wall();
    const { level, isTruncated } = log;
    this.#take(sandbox, invocation, { at, file, level, text, isTruncated: isTruncated || isOver });
  }

  /** Bytes that went round the runtime: to the only invocation inside, or the last one if none is. */
  onRaw(sandbox: PooledSandbox, file: File, bytes: Buffer): void {
    const state = this.#state(sandbox);
    state.raw[file] ??= new LineSplitter(fixedLimits.logLineBytesMax, (text, isTruncated) => {
      const at = this.#options.clock.wall();
      this.#take(sandbox, presumedWriter(state), { at, file, level: "none", text, isTruncated });
    });
    state.raw[file].push(bytes);
  }

  /** What the function said as it failed, as a line of its own. */
  failed(invocation: Invocation, failure: { type: string; message: string; stack: string }): void {
    const { type, message, stack } = failure;
    const title = type === "" ? message : `${type}: ${message}`;
    const text = stack.includes(message) ? stack : `${title}\n${stack}`;
    this.#record(invocation.fn, invocation, invocation.sandboxId ?? "", {
      at: this.#options.clock.wall(),
      file: "stderr",
      level: "error",
      text: text.trimEnd(),
      isTruncated: false,
    });
  }

  #state(sandbox: PooledSandbox): SandboxLogState {
    let state = this.#states.get(sandbox);
    if (state === undefined) {
      state = new SandboxLogState();
      this.#states.set(sandbox, state);
    }
    return state;
  }

  #take(sandbox: PooledSandbox, invocation: Invocation | null, line: Line): void {
    const fn = invocation?.fn ?? (sandbox.owner instanceof RevisionPool ? sandbox.owner.fn : null);
    if (fn === null) return this.#options.onStray(sandbox.id, line.text.slice(0, 1000));
    if (invocation === null && !this.#mayWriteOutside(sandbox, line)) return;
    this.#record(fn, invocation, sandbox.id, line);
  }

  #mayWriteOutside(sandbox: PooledSandbox, line: Line): boolean {
    const state = this.#state(sandbox);
    const now = this.#options.clock.now();
    if (now - state.outsideSince > OUTSIDE_WINDOW_MS) {
      state.outsideSince = now;
      state.outsideBytes = 0;
      state.isOutsideMarked = false;
    }
    state.outsideBytes += line.text.length;
    if (state.outsideBytes <= fixedLimits.logInvocationBytesMax) return true;
    if (state.isOutsideMarked) return false;
    state.isOutsideMarked = true;
    line.text = "[log limit reached: lines outside of an invocation are dropped for a minute]";
    line.isTruncated = true;
    return true;
  }

  #record(
    fn: DeployedFunction,
    invocation: Invocation | null,
    sandboxId: string,
    line: Line,
  ): void {
    if (invocation !== null && !mayWrite(invocation, line)) return;
    const record: LogRecord = {
      project: fn.project,
      functionName: fn.name,
      functionId: fn.functionId,
      revision: fn.revision,
      invocationId: invocation?.id ?? null,
      sandboxId,
      at: line.at,
      stream: line.file,
      level: line.level,
      text: line.text,
      truncated: line.isTruncated,
    };
    if (invocation !== null && !invocation.isOver) invocation.logs?.push(record);
    this.#options.onRecord(record);
  }
}

interface Line {
  at: number;
  file: File;
  level: LogRecord["level"];
  text: string;
  isTruncated: boolean;
}

/** Counts the line against the invocation; the first line over the limit becomes the mark that says so. */
function mayWrite(invocation: Invocation, line: Line): boolean {
  const before = invocation.logBytes;
  invocation.logBytes += line.text.length;
  if (invocation.logBytes <= fixedLimits.logInvocationBytesMax) return true;
  if (before > fixedLimits.logInvocationBytesMax) return false;
  line.text = `[log limit of ${fixedLimits.logInvocationBytesMax} bytes reached: the rest is dropped]`;
  line.isTruncated = true;
  return true;
}

function presumedWriter(state: SandboxLogState): Invocation | null {
  let only: Invocation | null = null;
  let last: Invocation | null = null;
  for (const invocation of state.invocations.values()) {
    last = invocation;
    if (invocation.isOver) continue;
    if (only !== null) return null;
    only = invocation;
  }
  return only ?? last;
}
