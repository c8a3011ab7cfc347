import type { SandboxLog } from "@isola/protocol/channel-types";
import type { Clock } from "../domain/clock.ts";
import type { DeployedFunction } from "../domain/function.ts";
import type { LogRecord } from "../domain/invocation.ts";
import { fixedLimits } from "../domain/limits.ts";
import type { PooledSandbox } from "../pool/pooled-sandbox.ts";
import { RevisionPool } from "../pool/revision-pool.ts";
import type { ErrorCode } from "../errors.ts";
import { LineSplitter } from "./line-splitter.ts";
import { roundMs } from "./server-timing.ts";

const toldInLogs: ReadonlySet<ErrorCode> = new Set([
  "function_timeout",
  "stream_timeout",
  "init_timeout",
  "sandbox_exited",
  "out_of_memory",
]);

/** Ended invocations remembered per sandbox, for lines that come late. */
const REMEMBERED_MAX = 32;
/** Lines outside of any invocation: this many bytes per sandbox and minute. */
const OUTSIDE_WINDOW_MS = 60_000;

type File = "stdout" | "stderr";

/** What a line weighs beside its text, so that empty lines are not free. */
const LINE_OVERHEAD_BYTES = 64;
/** Pieces of unfinished lines held per sandbox. */
const PIECES_BYTES_MAX = 1_048_576;
/** A sandbox may say when it wrote a line, within these bounds of our own clock. */
const PAST_MS_MAX = 3_600_000;
const FUTURE_MS_MAX = 1000;

/** Whom lines are given to: what logs need of an invocation, kept a little longer than the invocation itself. */
export class LogTarget {
  readonly id: string;
  fn: DeployedFunction;
  sandboxId = "";
  bytes = 0;
  isOver = false;
  /** The lines themselves, where the caller wants them with the answer; bounded like `bytes`. */
  lines: LogRecord[] | null = null;

  constructor(id: string, fn: DeployedFunction) {
    this.id = id;
    this.fn = fn;
  }
}

/** What one sandbox writes, on its way to log records. */
class SandboxLogState {
  readonly targets = new Map<number, LogTarget>();
  readonly pieces = new Map<string, { text: string; bytes: number; log: SandboxLog }>();
  piecesBytes = 0;
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

  /** From now on the stream's lines are the target's. */
  opened(sandbox: PooledSandbox, stream: number, target: LogTarget): void {
    target.sandboxId = sandbox.id;
    const { targets } = this.#state(sandbox);
    targets.set(stream, target);
    if (targets.size <= REMEMBERED_MAX) return;
    for (const [oldest, known] of targets) {
      if (known.isOver) targets.delete(oldest);
      if (targets.size <= REMEMBERED_MAX) return;
    }
  }

  /** A `LOG` frame. Pieces of a long line are put together first. */
  onLog(sandbox: PooledSandbox, log: SandboxLog): void {
    const state = this.#state(sandbox);
    const key = `${log.stream}${log.isStderr ? "e" : "o"}`;
    const before = state.pieces.get(key);
    const text = before === undefined ? log.text : before.text + log.text;
    const bytes = (before?.bytes ?? 0) + Buffer.byteLength(log.text) + LINE_OVERHEAD_BYTES;
    if (before !== undefined) state.piecesBytes -= before.bytes;
    state.pieces.delete(key);
    if (log.isPartial && bytes <= fixedLimits.logLineBytesMax) {
      state.pieces.set(key, { text, bytes, log });
      state.piecesBytes += bytes;
      this.#boundPieces(sandbox, state);
      return;
    }
    this.#line(sandbox, log, text, log.isPartial);
  }

  /** Gives the oldest unfinished lines as they are, where too much is held. */
  #boundPieces(sandbox: PooledSandbox, state: SandboxLogState): void {
    for (const [key, piece] of state.pieces) {
      if (state.piecesBytes <= PIECES_BYTES_MAX) return;
      state.pieces.delete(key);
      state.piecesBytes -= piece.bytes;
      this.#line(sandbox, piece.log, piece.text, true);
    }
  }

  #line(sandbox: PooledSandbox, log: SandboxLog, text: string, isCut: boolean): void {
    const target = log.stream === 0 ? null : (this.#state(sandbox).targets.get(log.stream) ?? null);
    const wall = this.#options.clock.wall();
    const isPlausible = log.at > wall - PAST_MS_MAX && log.at <= wall + FUTURE_MS_MAX;
    this.#take(sandbox, target, {
      at: isPlausible ? log.at : wall,
      file: log.isStderr ? "stderr" : "stdout",
      level: log.level,
      text,
      isTruncated: log.isTruncated || isCut,
    });
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

  /** What the function said as it failed, in lines of their own. */
  failed(target: LogTarget, failure: { type: string; message: string; stack: string }): void {
    const { type, message, stack } = failure;
    const title = type === "" ? message : `${type}: ${message}`;
    const text = stack.includes(message) ? stack : `${title}\n${stack}`;
    for (const line of text.trimEnd().split("\n")) this.said(target, line);
  }

  /** The end of a call, where the function's own log would not show it. */
  ended(target: LogTarget, code: ErrorCode, message: string): void {
    if (toldInLogs.has(code)) this.said(target, `isola: ${code}: ${message}`);
  }

  /** `ms`: until nothing of its sandbox was left; null: that was not seen. */
  killed(target: LogTarget, ms: number | null): void {
    const seen = ms === null ? "not seen to be gone yet" : `gone after ${roundMs(ms)} ms`;
    this.said(target, `isola: the sandbox was killed and ${seen}`);
  }

  /** A line of the platform's own about a call. */
  said(target: LogTarget, text: string): void {
    const at = this.#options.clock.wall();
    const line: Line = { at, file: "stderr", level: "error", text, isTruncated: false };
    this.#record(target.fn, target, target.sandboxId, line);
  }

  #state(sandbox: PooledSandbox): SandboxLogState {
    let state = this.#states.get(sandbox);
    if (state === undefined) {
      state = new SandboxLogState();
      this.#states.set(sandbox, state);
    }
    return state;
  }

  #take(sandbox: PooledSandbox, target: LogTarget | null, line: Line): void {
    const fn = target?.fn ?? (sandbox.owner instanceof RevisionPool ? sandbox.owner.fn : null);
    if (fn === null) return this.#options.onStray(sandbox.id, line.text.slice(0, 1000));
    if (target === null && !this.#mayWriteOutside(sandbox, line)) return;
    this.#record(fn, target, sandbox.id, line);
  }

  #mayWriteOutside(sandbox: PooledSandbox, line: Line): boolean {
    const state = this.#state(sandbox);
    const now = this.#options.clock.now();
    if (now - state.outsideSince > OUTSIDE_WINDOW_MS) {
      state.outsideSince = now;
      state.outsideBytes = 0;
      state.isOutsideMarked = false;
    }
    state.outsideBytes += Buffer.byteLength(line.text) + LINE_OVERHEAD_BYTES;
    if (state.outsideBytes <= fixedLimits.logInvocationBytesMax) return true;
    if (state.isOutsideMarked) return false;
    state.isOutsideMarked = true;
    line.text = "[log limit reached: lines outside of an invocation are dropped for a minute]";
    line.isTruncated = true;
    return true;
  }

  #record(fn: DeployedFunction, target: LogTarget | null, sandboxId: string, line: Line): void {
    if (target !== null && !mayWrite(target, line)) return;
    const record: LogRecord = {
      project: fn.project,
      functionName: fn.name,
      functionId: fn.functionId,
      revision: fn.revision,
      invocationId: target?.id ?? null,
      sandboxId,
      at: line.at,
      stream: line.file,
      level: line.level,
      text: line.text,
      truncated: line.isTruncated,
    };
    if (target?.isOver === false) target.lines?.push(record);
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
function mayWrite(target: LogTarget, line: Line): boolean {
  const before = target.bytes;
  target.bytes += Buffer.byteLength(line.text) + LINE_OVERHEAD_BYTES;
  if (target.bytes <= fixedLimits.logInvocationBytesMax) return true;
  if (before > fixedLimits.logInvocationBytesMax) return false;
  line.text = `[log limit of ${fixedLimits.logInvocationBytesMax} bytes reached: the rest is dropped]`;
  line.isTruncated = true;
  return true;
}

function presumedWriter(state: SandboxLogState): LogTarget | null {
  let only: LogTarget | null = null;
  let last: LogTarget | null = null;
  for (const target of state.targets.values()) {
    last = target;
    if (target.isOver) continue;
    if (only !== null) return null;
    only = target;
  }
  return only ?? last;
}
