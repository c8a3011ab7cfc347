import type { StartKind } from "../../src/domain/invocation.ts";
import type { IsolaError } from "../../src/errors.ts";
import type { CallCount } from "../../src/gateway/admission.ts";
import type { InvocationContext } from "../../src/gateway/invocation-context.ts";
import { Invocation } from "../../src/gateway/invocation.ts";
import type { Reply } from "../../src/gateway/reply.ts";
import { WholeBody } from "../../src/gateway/request-body.ts";
import type { PooledSandbox } from "../../src/pool/pooled-sandbox.ts";
import type { LeasePhases } from "../../src/pool/queue.ts";
import type { RevisionPool } from "../../src/pool/revision-pool.ts";
import type { Nature } from "./nature.ts";

/** What became of one call, as seen from outside. */
export class SimulatedCall implements Reply {
  readonly id: string;
  readonly functionName: string;
  readonly admittedAt: number;
  onDrain: () => void = () => {};
  onGone: () => void = () => {};
  hasHead = false;
  ends = 0;
  records = 0;
  /** By the sandbox that says it has received the event. */
  invokes = 0;
  leftAt: number | null = null;
  /** The function goes on without its caller. */
  continues = false;
  leasedAt: number | null = null;
  sandbox: PooledSandbox | null = null;
  /** The pool whose sandbox it got. */
  pool: RevisionPool | null = null;
  refusals = 0;
  /** Deploys of its function while it waited: each may begin a start of its own for it. */
  deploys = 0;
  readonly #nature: Nature;

  constructor(nature: Nature, id: string, functionName: string) {
    this.id = id;
    this.functionName = functionName;
    this.admittedAt = nature.loop.now();
    this.#nature = nature;
  }

  /** The caller closes its connection, unless it has its answer. */
  leave(): void {
    if (this.ends > 0 || this.leftAt !== null) return;
    this.leftAt = this.#nature.loop.now();
    this.#nature.watch.say(() => `${this.id}: the caller leaves`);
    this.onGone();
  }

  /** Its caller has gone, and that ends it. */
  get isGivenUp(): boolean {
    return this.leftAt !== null && !this.continues;
  }

  head(status: number): void {
    if (this.leftAt !== null) return;
    const { watch } = this.#nature;
    watch.check(!this.hasHead, () => `${this.id} got a second head`);
    watch.say(() => `${this.id} is answered ${status}`);
    this.hasHead = true;
  }

  body(): boolean {
    if (this.leftAt !== null) return true;
    const { random, profile, loop, watch } = this.#nature;
    watch.check(this.hasHead && this.ends === 0, () => `${this.id} got a body out of order`);
    if (!random.chance(profile.slowCallerChance)) return true;
    loop.later(random.between(0, 50), () => this.onDrain());
    return false;
  }

  end(): void {
    if (this.leftAt !== null) return;
    this.#nature.watch.check(this.hasHead, () => `${this.id} ended without a head`);
    this.#over("ends");
  }

  cut(): void {
    this.#over("is cut");
  }

  flush(): void {}

  #over(how: string): void {
    this.ends += 1;
    this.#nature.watch.say(() => `${this.id} ${how}`);
    this.#nature.watch.check(this.ends === 1, () => `${this.id} was answered twice`);
  }
}

/** Hears of every lease and refusal, before the call itself does. */
export interface CallObserver {
  onLease(call: SimulatedCall, sandbox: PooledSandbox, kind: StartKind): void;
  onRefused(call: SimulatedCall, error: IsolaError): void;
}

/** The gateway's own invocation, overheard. */
export class ObservedInvocation extends Invocation {
  readonly #call: SimulatedCall;
  readonly #observer: CallObserver;

  constructor(
    context: InvocationContext,
    pool: RevisionPool,
    call: SimulatedCall,
    given: { observer: CallObserver; body: Buffer | null; count: CallCount },
  ) {
    super(context, pool, requestOf(call.id, given), call);
    this.#call = call;
    call.continues = pool.fn.settings.onDisconnect === "continue";
    this.#observer = given.observer;
  }

  override onLease(sandbox: PooledSandbox, kind: StartKind, phases: LeasePhases): void {
    this.#observer.onLease(this.#call, sandbox, kind);
    super.onLease(sandbox, kind, phases);
    this.#call.continues = this.fn.settings.onDisconnect === "continue"; // a deploy may have moved it
  }

  override onRefused(error: IsolaError): void {
    this.#observer.onRefused(this.#call, error);
    super.onRefused(error);
  }
}

function requestOf(id: string, given: { body: Buffer | null; count: CallCount }) {
  const { body, count } = given;
  return {
    id,
    lines: {
      method: "POST",
      target: "/",
      prefix: "/f",
      sourceAddress: "127.0.0.1",
      httpVersion: "HTTP/1.1",
      scheme: "http",
      routeKey: "$default",
      pathParameters: "",
    },
    headerBlock: "",
    body: body === null ? null : new WholeBody(body),
    isEvent: false,
    trace: null,
    count,
    path: "/f",
  };
}
