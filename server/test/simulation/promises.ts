import type { InitSettings } from "@isola/protocol/channel-types";
import type { InvocationRecord, StartKind } from "../../src/domain/invocation.ts";
import type { IsolaError } from "../../src/errors.ts";
import type { PooledSandbox } from "../../src/pool/pooled-sandbox.ts";
import type { RevisionPool } from "../../src/pool/revision-pool.ts";
import type { WaitLimits } from "./deployment.ts";
import type { Ledger } from "./ledger.ts";
import type { ObservedPools } from "./observed-pools.ts";
import type { CallObserver, SimulatedCall } from "./simulated-call.ts";
import type { SimulatedLoop } from "./simulated-loop.ts";
import type { SandboxObserver, SimulatedSandbox } from "./simulated-sandbox.ts";
import type { Watch } from "./watch.ts";

/** A cancelled call may end by itself within this time. */
const CANCEL_GRACE_MS = 250;

/** What is promised of every single call and every single sandbox, checked as it happens. */
export class Promises implements CallObserver, SandboxObserver {
  readonly calls = new Map<string, SimulatedCall>();
  /** Start kinds, outcomes and error codes that have come. */
  readonly seen = new Set<string>();
  readonly #loop: SimulatedLoop;
  readonly #watch: Watch;
  readonly #ledger: Ledger;
  readonly #limitsOf: (name: string) => WaitLimits;
  #pools: ObservedPools | null = null;
  #sandboxes: ReadonlyMap<string, SimulatedSandbox> = new Map();

  constructor(
    given: { loop: SimulatedLoop; watch: Watch; ledger: Ledger },
    limitsOf: (name: string) => WaitLimits,
  ) {
    this.#loop = given.loop;
    this.#watch = given.watch;
    this.#ledger = given.ledger;
    this.#limitsOf = limitsOf;
  }

  observe(pools: ObservedPools, sandboxes: ReadonlyMap<string, SimulatedSandbox>): void {
    this.#pools = pools;
    this.#sandboxes = sandboxes;
  }

  onLease(call: SimulatedCall, sandbox: PooledSandbox, kind: StartKind): void {
    const pool = sandbox.owner as RevisionPool;
    const { fn } = pool;
    const say = (what: string) => () =>
      `${call.id} was given ${sandbox.id} of ${fn.name} revision ${fn.revision}, ${what}`;
    this.#watch.say(say(kind));
    const check = (isRight: boolean, what: string) => this.#watch.check(isRight, say(what));
    const inside = this.#sandboxes.get(sandbox.id);
    check(call.leasedAt === null && call.refusals === 0, "and it had an answer before");
    check(call.leftAt === null, "and its caller had gone");
    check(this.#pools?.retired.has(pool) === false, "a revision that takes no call any more");
    check(sandbox.state === "busy", `which is ${sandbox.state}`);
    check(this.#ledger.held.get(sandbox.id)?.isDestroyed === false, "which was destroyed");
    check(sandbox.running <= fn.settings.concurrency, "which is full");
    check(fn.name === call.functionName, "another function");
    check(inside?.isReady === true, "which has not loaded its code");
    check(
      inside?.init?.function === fn.name && inside.init.revision === fn.revision,
      `which holds ${inside?.init?.function} revision ${inside?.init?.revision}`,
    );
    const earlier = this.#waitingBefore(call);
    check(earlier === null, `before ${earlier?.id}, who came earlier`);
    this.seen.add(kind);
    call.leasedAt = this.#loop.now();
    call.sandbox = sandbox;
    call.pool = pool;
  }

  #waitingBefore(call: SimulatedCall): SimulatedCall | null {
    for (const other of this.calls.values()) {
      if (other === call) return null;
      const isOver = other.leasedAt !== null || other.refusals > 0 || other.leftAt !== null;
      if (!isOver && other.functionName === call.functionName) return other;
    }
    return null;
  }

  onRefused(call: SimulatedCall, error: IsolaError): void {
    this.#watch.say(() => `${call.id} is refused: ${error.code}: ${error.message}`);
    const isFirst = call.leasedAt === null && call.refusals === 0 && call.leftAt === null;
    this.#watch.check(isFirst, () => `${call.id} was refused, and was over before`);
    call.refusals += 1;
  }

  onInit(sandbox: SimulatedSandbox, settings: InitSettings): void {
    const { id } = sandbox;
    const held = this.#ledger.held.get(id);
    this.#watch.check(held !== undefined, () => `${id} got code and is not on the machine`);
    this.#watch.check(held?.claimedMiB === settings.memoryMiB, () => `${id} got foreign code`);
  }

  onInvoke(sandbox: SimulatedSandbox, invocation: string, open: number): void {
    const call = this.calls.get(invocation);
    const where = () => `${invocation} reached ${sandbox.id}`;
    if (call === undefined) return this.#watch.fail(`${where()} and nobody sent it`);
    call.invokes += 1;
    this.#watch.check(call.invokes === 1, () => `${where()}, and reached a sandbox before`);
    this.#watch.check(call.sandbox?.id === sandbox.id, () => `${where()}, not its own`);
    this.#watch.check(
      open <= (sandbox.init?.concurrency ?? 0),
      () => `${where()}, where ${open} run`,
    );
  }

  onRecord(record: InvocationRecord): void {
    const call = this.calls.get(record.id) as SimulatedCall;
    const { outcome, errorCode } = record;
    this.#watch.say(() => `${call.id} is recorded: ${outcome} ${errorCode ?? ""}`);
    const check = (isRight: boolean, what: string) =>
      this.#watch.check(isRight, () => `${call.id} (${outcome}, ${errorCode}) ${what}`);
    this.seen.add(outcome).add(errorCode ?? outcome);
    call.records += 1;
    check(call.records === 1, "has two records");
    check(call.ends === 1 || call.leftAt !== null, "has a record and no answer");
    check(errorCode !== "internal_error", `is a defect: ${record.errorMessage}`);
    check(!isDefect(record.errorMessage ?? ""), `is a defect: ${record.errorMessage}`);
    check(outcome !== "ok" || call.leasedAt !== null, "was ok without a sandbox");
    check(
      call.pool === null || call.pool.fn.revision === record.revision,
      `says revision ${record.revision}, and ran on ${call.pool?.fn.revision}`,
    );
    this.#checkTime(call, errorCode);
  }

  #checkTime(call: SimulatedCall, errorCode: string | null): void {
    const now = this.#loop.now();
    const check = (isRight: boolean, what: string) =>
      this.#watch.check(isRight, () => `${call.id} (${errorCode}) ${what}`);
    const { queueTimeoutMs, initTimeoutMs } = this.#limitsOf(call.functionName);
    const { stalledMs } = this.#loop;
    const queuedUntil = call.admittedAt + queueTimeoutMs;
    check(errorCode !== "queue_timeout" || now >= queuedUntil, "was given up too early");
    if (call.leasedAt === null || call.pool === null)
      return check(
        now <= queuedUntil + initTimeoutMs * (1 + call.deploys) + stalledMs,
        "waited beyond every limit",
      );
    const deadlineAt = call.leasedAt + call.pool.fn.settings.timeoutMs;
    const isTimeout = errorCode === "function_timeout" || errorCode === "stream_timeout";
    check(!isTimeout || now >= deadlineAt, `was timed out before ${deadlineAt} ms`);
    if (errorCode !== "cancelled")
      check(now <= deadlineAt + stalledMs, `was answered after its deadline of ${deadlineAt} ms`);
    else
      check(
        now <= (call.leftAt ?? 0) + CANCEL_GRACE_MS + stalledMs,
        "ended long after its caller had gone",
      );
  }

  onDeploy(functionName: string): void {
    for (const call of this.calls.values())
      if (call.functionName === functionName && call.records === 0) call.deploys += 1;
  }

  /** Every call has had its one answer and its one record. */
  checkAllAnswered(): void {
    for (const call of this.calls.values()) {
      this.#watch.check(call.records === 1, () => `${call.id} has no record`);
      this.#watch.check(
        call.ends === 1 || call.leftAt !== null,
        () => `${call.id} was never answered`,
      );
    }
  }

  /** Words of a problem that only a mistake of ours can cause. */
  onProblem(message: string): void {
    this.#watch.say(() => `problem: ${message}`);
    this.#watch.check(!isDefect(message), () => `a defect: ${message}`);
  }
}

function isDefect(message: string): boolean {
  return /cannot go from|more memory released|is not a function|undefined|init in state/.test(
    message,
  );
}
