import type { ChannelEnd, InvocationSink, SandboxError } from "@isola/protocol/channel-types";
import { Flag } from "@isola/protocol/frames";
import { invokeText } from "@isola/protocol/heads";
import type { HostStream } from "@isola/protocol/host-stream";
import type { DeployedFunction } from "../domain/function.ts";
import type { StartKind } from "../domain/invocation.ts";
import type { DestroyReason } from "../drivers/driver.ts";
import { type ErrorCode, type IsolaError, messageOf } from "../errors.ts";
import { failPointNow } from "../fail-points.ts";
import type { PooledSandbox } from "../pool/pooled-sandbox.ts";
import type { LeasePhases, QueueEntry, Waiter } from "../pool/queue.ts";
import type { RevisionPool } from "../pool/revision-pool.ts";
import { type OwnWords, functionFailure, giveFailure } from "./error-body.ts";
import type { Reply } from "./reply.ts";
import { Decision } from "./decision.ts";
import { type CallUse, useOf } from "./call-meter.ts";
import type { InvocationContext } from "./invocation-context.ts";
import { recordOf, responseMsOf } from "./invocation-record.ts";
import type { InvocationRequest } from "./invocation-request.ts";
import { type KillTold, killTold, nothingTold } from "./kill-told.ts";
import { bodyRefusal, feedRequest, requestBytesMax, responseBytesMax } from "./request-feed.ts";
import { ResponseRelay } from "./response-relay.ts";
import { type LimitListener, type PassedLimit, RunLimits } from "./run-limits.ts";
import { roundMs, serverTiming } from "./server-timing.ts";
import { LogTarget } from "./sandbox-logs.ts";
import { endOf, passedText, refusalLimitMs, refusalOf, sandboxFailureOf } from "./verdict.ts";

/** A cancelled call may end by itself within this time; then its sandbox lives on. */
const CANCEL_GRACE_MS = 250;

type Phase = "new" | "queued" | "running" | "cancelling" | "fading" | "done";

/**
 * One call: `new -> queued -> running -> done`; `... -> cancelling -> done` when the caller has gone; `running -> fading -> done` when it has been answered at its
 * deadline and the code still has its grace. The outcome is decided once (`#decide`); frames that come later are dropped. Whatever happens, the reply is ended
 * once, the sandbox given back once, and one record made.
 */
export class Invocation implements Waiter, InvocationSink, LimitListener {
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
  #stream: HostStream | null = null;
  #startKind: StartKind | null = null;
  #phases: LeasePhases = { queueMs: 0, startMs: null, initMs: null };
  #leasedAt = 0;
  #limits: RunLimits;
  #passed: PassedLimit | null = null;
  /** Of cancelling and fading. */
  #cancelTimer: () => void = () => {};
  #hasReader = true;
  /** Under way; the record waits for it. */
  #killing: Promise<KillTold> | null = null;
  use: CallUse | null = null;
  readonly #decision = new Decision();
  #status = 0;
  #requestBytes = 0;
  #responseBytesMax = 0;
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
    const own = () => ["isola-request-id", this.id, "server-timing", this.#timing()];
    this.#relay = new ResponseRelay(reply, request.lines.method, own);
    this.id = request.id;
    this.fn = pool.fn;
    this.#limits = new RunLimits(context.clock, pool.fn.settings, this);
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
    this.use = useOf(sandbox);
    this.#pool = sandbox.owner as RevisionPool;
    this.#movedTo(this.#pool.fn);
    this.#startKind = kind;
    this.#phases = phases;
    this.#responseBytesMax = responseBytesMax(sandbox);
    const tooLarge = bodyRefusal(this.fn.name, this.#request.body, sandbox);
    if (tooLarge !== null) return this.#end(tooLarge.code, tooLarge.message, null);
    this.#phase = "running";
    try {
      this.#run(sandbox);
    } catch (error) {
      this.#end("internal_error", `it could not be handed over: ${messageOf(error)}`, null);
    }
  }

  onRefused(error: IsolaError): void {
    this.#entry = null;
    const refusal = refusalOf(error);
    this.failure = refusal.failure;
    if (refusal.failure !== null) this.#context.logs.failed(this.log, refusal.failure);
    this.#answer(error.code, error.message, refusal.phase);
    this.#done();
  }

  onPassed(passed: PassedLimit): void {
    if (this.#phase !== "running") return;
    this.#passed = passed;
    const code = this.#reply.hasHead ? "stream_timeout" : "function_timeout";
    const message = passedText(this.fn.name, passed);
    if (this.fn.settings.timeoutGraceMs === 0) return this.#end(code, message, "timeout");
    this.#fade(code, message, this.#sandbox as PooledSandbox);
  }

  /** The caller is answered, and the code told; what it still does is late. */
  #fade(code: ErrorCode, message: string, sandbox: PooledSandbox): void {
    this.#pool.condemn(sandbox, "timeout");
    this.#answer(code, message, "run");
    this.#phase = "fading";
    this.#stopRun();
    sandbox.channel.cancel(this.#stream as HostStream, "the deadline has passed");
    const { timeoutGraceMs } = this.fn.settings;
    this.#cancelTimer = this.#context.clock.after(timeoutGraceMs, () => this.#fadeOut());
  }

  onHead(status: number, headers: string[], isEnd: boolean): void {
    if (this.#phase !== "running") return this.#onLate(isEnd);
    failPointNow("call.head");
    this.#relay.hold(status, headers);
    if (isEnd) this.#endResponse(undefined);
  }

  onPause(): void {
    if (this.#phase === "running" && this.#judge(this.#relay.flush())) this.#streams();
  }

  onBody(bytes: Buffer, isEnd: boolean): void {
    if (this.#phase !== "running") return this.#onLate(isEnd);
    if (isEnd) return this.#endResponse(bytes);
    const problem = this.#relay.body(bytes, this.#responseBytesMax);
    if (!this.#judge(problem)) return;
    const { isHeldUp } = this.#relay;
    this.#streams();
    this.#limits.piece(isHeldUp);
    if (isHeldUp) this.#unacknowledged += bytes.length;
    else this.#consumed(bytes.length);
  }

  onError(error: SandboxError): void {
    if (this.#phase !== "running") return this.#onLate(true);
    const { code, isSound } = sandboxFailureOf(error.code);
    this.failure = { type: error.type, message: error.message, stack: error.stack };
    this.#context.logs.failed(this.log, this.failure);
    this.#end(code, error.message, isSound ? null : "protocol_error");
  }

  onClosed(end: ChannelEnd): void {
    if (this.#phase === "cancelling") return this.#settleCancelled("cancelled");
    if (this.#phase === "fading") return this.#fadeOut();
    if (this.#phase !== "running") return;
    // What was killed at its deadline by the keeper, while this process did not run, ran too long.
    const passed = this.#limits.passed();
    if (passed !== null) return this.onPassed(passed);
    this.#phase = "done";
    const sandbox = this.#sandbox as PooledSandbox;
    this.#giveBack("crash");
    const leftMs = this.#leasedAt + this.fn.settings.timeoutMs - this.#context.clock.now();
    void sandbox.exitWithin(leftMs).then((exit) => {
      const { code, message } = endOf(this.fn, end, exit);
      this.#answer(code, message, "run");
      this.#done();
    });
  }

  onWritable(): void {
    this.#request.body?.resume();
  }

  /** A deploy while it waited has given it to another revision. */
  #movedTo(fn: DeployedFunction): void {
    if (fn === this.fn) return;
    this.fn = this.log.fn = fn;
    this.#limits = new RunLimits(this.#context.clock, fn.settings, this);
  }

  #run(sandbox: PooledSandbox): void {
    const { clock, logs } = this.#context;
    const { body, isEvent, lines, headerBlock, id } = this.#request;
    const { timeoutMs, timeoutGraceMs } = this.fn.settings;
    this.#leasedAt = clock.now();
    this.#limits.start(this.#leasedAt);
    sandbox.dueBy(this.#leasedAt + timeoutMs + timeoutGraceMs);
    const flags = (body === null ? Flag.END : 0) | (isEvent ? Flag.EVENT : 0);
    const limit = { timeoutMs, deadlineMs: clock.wall() + timeoutMs };
    const text = invokeText({ id, ...lines }, headerBlock);
    const stream = sandbox.channel.open(flags, limit, text, this);
    this.#stream = stream;
    logs.opened(sandbox, stream.id, this.log);
    failPointNow("call.sent");
    const most = requestBytesMax(sandbox);
    if (body !== null) feedRequest(body, sandbox, stream, (bytes) => this.#count(bytes, most));
  }

  /** False when that was too much, and the call has failed. */
  #count(bytes: number, bytesMax: number): boolean {
    this.#requestBytes += bytes;
    if (this.#requestBytes <= bytesMax) return true;
    this.#end("request_too_large", `the request exceeds ${bytesMax} bytes`, "cancelled");
    return false;
  }

  #streams(): void {
    const { streamTimeoutMs: most, timeoutGraceMs } = this.fn.settings;
    if (this.#limits.streams() && most !== null)
      this.#sandbox?.dueBy(this.#leasedAt + most + timeoutGraceMs);
  }

  #endResponse(bytes: Buffer | undefined): void {
    if (!this.#judge(this.#relay.end(bytes, this.#responseBytesMax))) return;
    this.#status = this.#hasReader ? this.#relay.status : 0;
    this.#giveBack(null);
    this.#decision.make("ok", this.#context.clock.now());
    this.#done();
  }

  /** False when the response was not fit to be passed on; then the call has failed. */
  #judge(problem: string | null): boolean {
    if (problem === null) return true;
    this.#end("bad_response", problem, "protocol_error");
    return false;
  }

  #consumed(bytes: number): void {
    this.#sandbox?.channel.consumed(this.#stream as HostStream, bytes);
  }

  #onDrain(): void {
    const bytes = this.#unacknowledged;
    this.#unacknowledged = 0;
    if (this.#phase !== "running") return;
    this.#limits.flows();
    this.#consumed(bytes);
  }

  /** What the caller has not sent whole nobody can finish, whatever the settings say. */
  #onGone(): void {
    const { body } = this.#request;
    this.#hasReader = false;
    if (this.fn.settings.onDisconnect === "continue" && body?.isComplete !== false)
      return this.#onDrain();
    if (this.#phase === "queued") {
      this.#entry?.withdraw();
      this.#phase = "cancelling";
      return this.#settleCancelled(null);
    }
    if (this.#phase !== "running") return;
    this.#phase = "cancelling";
    this.#stopRun();
    this.#sandbox?.channel.cancel(this.#stream as HostStream, "the caller has gone");
    this.#cancelTimer = this.#context.clock.after(CANCEL_GRACE_MS, () =>
      this.#settleCancelled("cancelled"),
    );
  }

  /** Ends a cancelled call; `reason` destroys the sandbox, null spares it. */
  #settleCancelled(reason: DestroyReason | null): void {
    const now = this.#context.clock.now();
    if (!this.#decision.fail("cancelled", "the caller closed the connection", now)) return;
    this.#giveBack(reason);
    this.#done();
  }

  /** The grace is over, or was not needed any more. */
  #fadeOut(): void {
    if (this.#phase !== "fading") return;
    this.#phase = "done";
    this.#giveBack("timeout");
    this.#done();
  }

  /** A frame after the decision. The end of a cancelled stream spares its sandbox. */
  #onLate(isEnd: boolean): void {
    if (this.#phase === "cancelling" && isEnd) return this.#settleCancelled(null);
    this.#context.onLateFrame();
    if (isEnd) this.#fadeOut();
  }

  /** Ends a call with an error; `reason` destroys a sandbox that cannot be trusted any more, after the caller has been answered. */
  #end(code: ErrorCode, message: string, reason: DestroyReason | null): void {
    this.#phase = "done"; // destroying the sandbox closes its streams, this one too
    this.#answer(code, message, "run");
    this.#giveBack(reason);
    this.#done();
  }

  #stopRun(): void {
    this.#cancelTimer();
    this.#limits.stop();
    this.#request.body?.stop();
  }

  #giveBack(reason: DestroyReason | null): void {
    const sandbox = this.#sandbox;
    this.#sandbox = null;
    this.#stopRun();
    if (sandbox === null) return;
    if (reason === null) return this.#pool.release(sandbox);
    this.#pool.abandon(sandbox, reason);
    if (sandbox.state === "dead")
      this.#killing = killTold(this.#context.clock, this.use as CallUse, reason);
  }

  /** Decides, and tells the caller where there is one and nothing has been decided before. */
  #answer(code: ErrorCode, message: string, phase: string): void {
    if (!this.#decision.fail(code, message, this.#context.clock.now())) return;
    if (this.#reply.hasHead) {
      this.#status = this.#relay.status;
      this.#reply.cut();
    } else this.#answerFailure(code, message, phase);
    if (!this.#hasReader) this.#status = 0;
  }

  #answerFailure(code: ErrorCode, message: string, phase: string): void {
    const elapsedMs = roundMs(this.#decision.at - this.admittedAt);
    const said = { code, message, phase, elapsedMs, requestId: this.id };
    const limitMs = this.#passed?.limitMs ?? refusalLimitMs(this.fn, code);
    const answer = functionFailure(this.fn, { ...said, limitMs }, this.failure);
    answer.headers.push("server-timing", this.#timing());
    this.#status = giveFailure(this.#reply, answer);
  }

  #timing(): string {
    const runMs = this.#leasedAt > 0 ? this.#context.clock.now() - this.#leasedAt : null;
    return serverTiming(this.#phases, runMs);
  }

  #done(): void {
    this.#phase = "done";
    const { logs } = this.#context;
    const { error } = this.#decision;
    if (error !== null) logs.ended(this.log, error.code, error.message);
    if (this.#killing === null) return this.#record(nothingTold);
    void this.#killing.then((told) => {
      if (told.wasKilled) logs.killed(this.log, told.killMs);
      this.#record(told);
    });
  }

  #record(told: KillTold): void {
    const { outcome, at, error } = this.#decision;
    this.log.isOver = true;
    const record = recordOf(this.fn, this.#request, {
      startKind: this.#startKind,
      sandboxId: this.use?.sandbox.id ?? null,
      outcome: outcome ?? "platform_error",
      errorCode: error?.code ?? null,
      errorMessage: error?.message ?? null,
      status: this.#status,
      startedAt: this.startedAt,
      totalMs: at - this.admittedAt,
      phases: this.#phases,
      runMs: this.#leasedAt > 0 ? at - this.#leasedAt : null,
      requestBytes: this.#requestBytes,
      responseBytes: this.#relay.bytes,
      responseMs: responseMsOf(this.#limits, this.#decision),
      ...told,
    });
    this.#context.onDone(this, record, this.#request.count);
  }
}
