import type { ChannelEnd, InvocationSink, SandboxError } from "@isola/protocol/channel-types";
import { Flag } from "@isola/protocol/frames";
import { invokeText } from "@isola/protocol/heads";
import type { HostStream } from "@isola/protocol/host-stream";
import type { Clock } from "../domain/clock.ts";
import type { DeployedFunction } from "../domain/function.ts";
import type { InvocationRecord, Outcome, StartKind } from "../domain/invocation.ts";
import { fixedLimits } from "../domain/limits.ts";
import type { DestroyReason } from "../drivers/driver.ts";
import { type ErrorCode, IsolaError, messageOf } from "../errors.ts";
import type { PooledSandbox } from "../pool/pooled-sandbox.ts";
import type { LeasePhases, QueueEntry, Waiter } from "../pool/queue.ts";
import type { RevisionPool } from "../pool/revision-pool.ts";
import { type OwnWords, functionFailure } from "./error-body.ts";
import type { Reply } from "./reply.ts";
import { type InvocationRequest, identityOf } from "./invocation-request.ts";
import type { RequestBody } from "./request-body.ts";
import { ResponseRelay } from "./response-relay.ts";
import { LogTarget, type SandboxLogs } from "./sandbox-logs.ts";
import { outcomeOf, refusalOf, sandboxFailureOf } from "./verdict.ts";

export interface InvocationContext {
  clock: Clock;
  logs: SandboxLogs;
  /** Called once per invocation, after its answer. */
  onDone(invocation: Invocation, record: InvocationRecord): void;
}

/** A cancelled call may end by itself within this time; then its sandbox lives on. */
const CANCEL_GRACE_MS = 250;

/** Ends that a function's own log would not show otherwise. */
const toldInLogs: ReadonlySet<ErrorCode> = new Set([
  "function_timeout",
  "stream_timeout",
  "init_timeout",
  "sandbox_exited",
  "out_of_memory",
]);

type Phase = "new" | "queued" | "running" | "cancelling" | "done";

/**
 * One call: `new -> queued -> running -> done`, or `... -> cancelling -> done` when the caller has gone. The outcome is decided once (`#decide`); frames that
 * come later are dropped. Whatever happens, the reply is ended once, the sandbox given back once, and one record made.
 */
export class Invocation implements Waiter, InvocationSink {
  readonly id: string;
  fn: DeployedFunction;
  readonly log: LogTarget;
  readonly admittedAt: number;
  readonly startedAt: number;
  readonly #context: InvocationContext;
  readonly #request: InvocationRequest;
  readonly #reply: Reply;
  readonly #relay: ResponseRelay;
  #pool: RevisionPool;
  #phase: Phase = "new";
  #entry: QueueEntry | null = null;
  #sandbox: PooledSandbox | null = null;
  #sandboxId: string | null = null;
  #stream: HostStream | null = null;
  #startKind: StartKind | null = null;
  #phases: LeasePhases = { queueMs: 0, startMs: null, initMs: null };
  #leasedAt = 0;
  #cancelTimer: () => void = noop;
  #outcome: Outcome | null = null;
  #errorCode: ErrorCode | null = null;
  #errorMessage: string | null = null;
  #status = 0;
  #requestBytes = 0;
  #unacknowledged = 0;
  /** What the function itself said, for callers that may see it. */
  failure: OwnWords | null = null;

  constructor(
    context: InvocationContext,
    pool: RevisionPool,
    request: InvocationRequest,
    reply: Reply,
  ) {
    this.#context = context;
    this.#pool = pool;
    this.#request = request;
    this.#reply = reply;
    this.#relay = new ResponseRelay(reply, request.lines.method, () => [
      "isola-request-id",
      this.id,
      "server-timing",
      this.#timing(),
    ]);
    this.id = request.id;
    this.fn = pool.fn;
    this.log = new LogTarget(request.id, pool.fn);
    this.admittedAt = context.clock.now();
    this.startedAt = context.clock.wall();
    reply.onGone = () => this.#onGone();
    reply.onDrain = () => this.#onDrain();
  }

  /** Gets a sandbox, now or later. */
  start(): void {
    this.#phase = "queued";
    const entry = this.#pool.acquire(this);
    if (this.#phase === "queued") this.#entry = entry;
  }

  onLease(sandbox: PooledSandbox, kind: StartKind, phases: LeasePhases): void {
    this.#entry = null;
    this.#sandbox = sandbox;
    this.#sandboxId = sandbox.id;
    this.#pool = sandbox.owner as RevisionPool;
    this.fn = this.log.fn = this.#pool.fn; // a deploy while it waited has moved it
    this.#startKind = kind;
    this.#phases = phases;
    const tooLarge = this.#bodyRefusal(sandbox);
    if (tooLarge !== null) {
      this.#giveBack(null);
      return this.#fail(tooLarge.code, tooLarge.message, "run");
    }
    this.#phase = "running";
    try {
      this.#run(sandbox);
    } catch (error) {
      this.#giveBack(null);
      this.#fail("internal_error", `the call could not be handed over: ${messageOf(error)}`, "run");
    }
  }

  onRefused(error: IsolaError): void {
    this.#entry = null;
    const refusal = refusalOf(error);
    this.failure = refusal.failure;
    if (refusal.failure !== null) this.#context.logs.failed(this.log, refusal.failure);
    this.#fail(error.code, error.message, refusal.phase);
  }

  onHead(status: number, headers: string[], isEnd: boolean): void {
    if (this.#phase !== "running") return this.#onLate(isEnd);
    this.#relay.hold(status, headers);
    if (isEnd) this.#endResponse(undefined);
  }

  onPause(): void {
    if (this.#phase === "running") this.#judge(this.#relay.flush());
  }

  onBody(bytes: Buffer, isEnd: boolean): void {
    if (this.#phase !== "running") return this.#onLate(isEnd);
    if (isEnd) return this.#endResponse(bytes);
    let isHeldUp = false;
    const problem = this.#relay.body(bytes, this.#responseBytesMax(), () => {
      isHeldUp = true;
    });
    if (!this.#judge(problem)) return;
    if (isHeldUp) this.#unacknowledged += bytes.length;
    else this.#consumed(bytes.length);
  }

  onError(error: SandboxError): void {
    if (this.#phase !== "running") return this.#onLate(true);
    const { code, isSound } = sandboxFailureOf(error.code);
    this.failure = { type: error.type, message: error.message, stack: error.stack };
    this.#context.logs.failed(this.log, this.failure);
    this.#giveBack(isSound ? null : "protocol_error");
    this.#fail(code, error.message, "run");
  }

  onClosed(end: ChannelEnd): void {
    if (this.#phase === "cancelling") return this.#settleCancelled("cancelled");
    if (this.#phase !== "running") return;
    this.#phase = "done";
    this.#cancelTimer();
    const sandbox = this.#sandbox as PooledSandbox;
    this.#giveBack("crash");
    const leftMs = this.#leasedAt + this.fn.settings.timeoutMs - this.#context.clock.now();
    void sandbox.exitWithin(leftMs).then((exit) => {
      if (end.isBreach)
        return this.#fail("bad_response", `the sandbox broke the protocol: ${end.reason}`, "run");
      if (exit.cause === "out_of_memory") {
        const text = `${this.fn.name} reached its memory limit of ${this.fn.settings.memoryMiB} MiB`;
        return this.#fail("out_of_memory", text, "run");
      }
      const how = exit.signal === null ? `exit code ${exit.exitCode}` : `signal ${exit.signal}`;
      this.#fail(
        "sandbox_exited",
        `the process of ${this.fn.name} ended during the call (${how})`,
        "run",
      );
    });
  }

  onWritable(): void {
    this.#request.body?.resume();
  }

  #run(sandbox: PooledSandbox): void {
    const { clock, logs } = this.#context;
    const { body, isEvent, lines, headerBlock, id } = this.#request;
    const { timeoutMs } = this.fn.settings;
    this.#leasedAt = clock.now();
    this.#cancelTimer = clock.after(timeoutMs, () => this.#onDeadline());
    const flags = (body === null ? Flag.END : 0) | (isEvent ? Flag.EVENT : 0);
    const limit = { timeoutMs, deadlineMs: clock.wall() + timeoutMs };
    const text = invokeText({ id, ...lines }, headerBlock);
    const stream = sandbox.channel.open(flags, limit, text, this);
    this.#stream = stream;
    logs.opened(sandbox, stream.id, this.log);
    if (body !== null) this.#sendBody(body, sandbox, stream);
  }

  #sendBody(body: RequestBody, sandbox: PooledSandbox, stream: HostStream): void {
    const bytesMax = this.#requestBytesMax(sandbox);
    body.start(
      (bytes) => {
        this.#requestBytes += bytes.length;
        if (this.#requestBytes > bytesMax)
          return this.#abort(
            "request_too_large",
            `the request exceeds ${bytesMax} bytes`,
            "cancelled",
          );
        if (!sandbox.channel.write(stream, bytes)) body.pause();
      },
      () => sandbox.channel.finish(stream),
    );
  }

  #requestBytesMax(sandbox: PooledSandbox): number {
    const { requestBodyBufferedBytesMax, requestBodyStreamedBytesMax } = fixedLimits;
    return sandbox.ready?.buffered === true
      ? requestBodyBufferedBytesMax
      : requestBodyStreamedBytesMax;
  }

  #responseBytesMax(): number {
    const { responseBodyBufferedBytesMax, responseBodyStreamedBytesMax } = fixedLimits;
    return this.#sandbox?.ready?.buffered === true
      ? responseBodyBufferedBytesMax
      : responseBodyStreamedBytesMax;
  }

  #bodyRefusal(sandbox: PooledSandbox): IsolaError | null {
    const length = this.#request.body?.declaredBytes ?? 0;
    const most = this.#requestBytesMax(sandbox);
    if (length <= most) return null;
    return new IsolaError(
      "request_too_large",
      `the request has ${length} bytes, ${this.fn.name} takes ${most}`,
    );
  }

  #endResponse(bytes: Buffer | undefined): void {
    if (!this.#judge(this.#relay.end(bytes, this.#responseBytesMax()))) return;
    this.#status = this.#relay.status;
    this.#giveBack(null);
    this.#decide("ok");
    this.#done();
  }

  /** False when the response was not fit to be passed on; then the call has failed. */
  #judge(problem: string | null): boolean {
    if (problem === null) return true;
    this.#status = this.#relay.status;
    this.#abort("bad_response", problem, "protocol_error");
    return false;
  }

  #consumed(bytes: number): void {
    if (this.#stream !== null) this.#sandbox?.channel.consumed(this.#stream, bytes);
  }

  #onDrain(): void {
    const bytes = this.#unacknowledged;
    this.#unacknowledged = 0;
    if (this.#phase === "running") this.#consumed(bytes);
  }

  #onDeadline(): void {
    if (this.#phase !== "running") return;
    const { timeoutMs } = this.fn.settings;
    const code = this.#reply.hasHead ? "stream_timeout" : "function_timeout";
    this.#abort(code, `${this.fn.name} ran longer than ${timeoutMs} ms`, "timeout");
  }

  #onGone(): void {
    if (this.#phase === "queued") {
      this.#entry?.withdraw();
      this.#phase = "cancelling";
      return this.#settleCancelled(null);
    }
    if (this.#phase !== "running") return;
    this.#phase = "cancelling";
    this.#cancelTimer();
    this.#sandbox?.channel.cancel(this.#stream as HostStream, "the caller has gone");
    this.#cancelTimer = this.#context.clock.after(CANCEL_GRACE_MS, () =>
      this.#settleCancelled("cancelled"),
    );
  }

  /** Ends a cancelled call; `reason` destroys the sandbox, null spares it. */
  #settleCancelled(reason: DestroyReason | null): void {
    if (!this.#decide("cancelled")) return;
    this.#errorCode = "cancelled";
    this.#errorMessage = "the caller closed the connection";
    this.#done();
    this.#giveBack(reason);
  }

  /** A frame after the decision. The end of a cancelled stream spares its sandbox. */
  #onLate(isEnd: boolean): void {
    if (this.#phase === "cancelling" && isEnd) this.#settleCancelled(null);
  }

  /** Ends a running call with an error whose sandbox cannot be trusted any more. The caller is answered before the sandbox is killed. */
  #abort(code: ErrorCode, message: string, reason: DestroyReason): void {
    this.#fail(code, message, "run");
    this.#giveBack(reason);
  }

  #giveBack(reason: DestroyReason | null): void {
    const sandbox = this.#sandbox;
    this.#sandbox = null;
    this.#cancelTimer();
    this.#request.body?.stop();
    if (sandbox === null) return;
    if (reason === null) this.#pool.release(sandbox);
    else this.#pool.abandon(sandbox, reason);
  }

  #fail(code: ErrorCode, message: string, phase: string): void {
    this.#cancelTimer();
    this.#errorCode = code;
    this.#errorMessage = message;
    if (!this.#decide(outcomeOf(code))) return;
    if (this.#reply.hasHead) {
      this.#status = this.#relay.status;
      this.#reply.cut();
    } else this.#answerFailure(code, message, phase);
    this.#done();
  }

  #answerFailure(code: ErrorCode, message: string, phase: string): void {
    const elapsedMs = round(this.#context.clock.now() - this.admittedAt);
    const said = { code, message, phase, elapsedMs, requestId: this.id };
    const answer = functionFailure(this.fn, said, this.failure);
    answer.headers.push("server-timing", this.#timing());
    this.#status = answer.status;
    this.#reply.head(answer.status, answer.headers);
    this.#reply.end(answer.body);
  }

  /** Compare and set: true for the one call that decides. */
  #decide(outcome: Outcome): boolean {
    if (this.#outcome !== null) return false;
    this.#outcome = outcome;
    return true;
  }

  #timing(): string {
    const { queueMs, startMs, initMs } = this.#phases;
    let text = `queue;dur=${round(queueMs)}`;
    if (startMs !== null) text += `, start;dur=${round(startMs)}`;
    if (initMs !== null) text += `, init;dur=${round(initMs)}`;
    if (this.#leasedAt > 0)
      text += `, run;dur=${round(this.#context.clock.now() - this.#leasedAt)}`;
    return text;
  }

  #done(): void {
    this.#phase = "done";
    if (this.#errorCode !== null && toldInLogs.has(this.#errorCode))
      this.#context.logs.said(this.log, `isola: ${this.#errorCode}: ${this.#errorMessage}`);
    this.log.isOver = true;
    const now = this.#context.clock.now();
    this.#context.onDone(this, {
      ...identityOf(this.fn, this.#request),
      startKind: this.#startKind,
      sandboxId: this.#sandboxId,
      outcome: this.#outcome ?? "platform_error",
      errorCode: this.#errorCode,
      errorMessage: this.#errorMessage,
      status: this.#status,
      startedAt: this.startedAt,
      totalMs: now - this.admittedAt,
      ...this.#phases,
      runMs: this.#leasedAt > 0 ? now - this.#leasedAt : null,
      requestBytes: this.#requestBytes,
      responseBytes: this.#relay.bytes,
    });
  }
}

function round(ms: number): number {
  return Math.round(ms * 100) / 100;
}

function noop(): void {}
