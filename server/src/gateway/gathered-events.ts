import type { Clock } from "../domain/clock.ts";
import {
  type EventFields,
  type EventKind,
  type EventSink,
  type PlatformEvent,
  eventOf,
} from "../domain/events.ts";
import type { DeployedFunction } from "../domain/function.ts";
import type { InvocationRecord } from "../domain/invocation.ts";
import type { DestroyReason } from "../drivers/driver.ts";
import type { IsolaError } from "../errors.ts";
import type { PoolNews } from "../pool/pool-news.ts";

/** What happens within this time to one revision is told as one event. */
const GATHER_MS = 1000;
/** Events gathered at once, and those held before anybody takes them; more are dropped and counted. */
const GATHERED_MAX = 1000;

/** Ends that say nothing about the function or the machine. */
const untold: ReadonlySet<DestroyReason> = new Set(["after_response", "shutdown", "blank_surplus"]);

export interface EventTaker extends EventSink {
  /** So many had to be dropped. */
  dropped(events: number): void;
}

/**
 * What happens in the gateway, on its way to the records: what may come in floods is gathered for a second, so that a function that fails with every call, or scales with
 * every burst, makes one event a second of each kind. `holding -> open`.
 */
export class GatheredEvents implements EventSink, PoolNews {
  readonly #clock: Clock;
  #taker: EventTaker | null = null;
  #held: PlatformEvent[] = [];
  #gathered = new Map<string, PlatformEvent>();
  #dropped = 0;
  #cancelFlush: (() => void) | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** From now on events go to `taker`, first those that are held. */
  open(taker: EventTaker): void {
    this.#taker = taker;
    for (const event of this.#held) taker.add(event);
    this.#held = [];
  }

  add(event: PlatformEvent): void {
    if (this.#taker !== null) return this.#taker.add(event);
    if (this.#held.length < GATHERED_MAX) this.#held.push(event);
    else this.#dropped += 1;
  }

  onStarted(fn: DeployedFunction, sandboxes: number): void {
    this.#gather("scaled_up", fn, { revision: fn.revision, count: 1, sandboxes });
  }

  onEnded(fn: DeployedFunction, reason: DestroyReason, sandboxes: number): void {
    const common = { revision: fn.revision, count: 1, sandboxes };
    if (reason === "evicted") return this.#gather("sandboxes_evicted", fn, common);
    if (!untold.has(reason)) this.#gather("scaled_down", fn, { ...common, reason });
  }

  onStartFailed(fn: DeployedFunction, { code, message }: IsolaError): void {
    const fields = { revision: fn.revision, count: 1, code, message };
    this.#gather("sandbox_start_failed", fn, fields);
  }

  /** A call is over; what its sandbox came to. */
  onCall(fn: DeployedFunction, record: InvocationRecord): void {
    const { outcome, sandboxId: sandbox, id: invocation, killMs, errorMessage } = record;
    if (sandbox === null) return;
    const common = { revision: record.revision, count: 1, invocation, sandbox };
    if (outcome === "timeout") this.#gather("sandbox_timed_out", fn, { ...common, killMs });
    if (outcome === "out_of_memory") this.#gather("sandbox_out_of_memory", fn, common);
    if (outcome === "crash")
      this.#gather("sandbox_crashed", fn, { ...common, message: errorMessage ?? "" });
  }

  /** What is gathered goes out now. */
  flush(): void {
    this.#cancelFlush?.();
    this.#cancelFlush = null;
    const events = this.#gathered.values();
    this.#gathered = new Map();
    for (const event of events) this.add(event);
    if (this.#dropped === 0 || this.#taker === null) return;
    this.#taker.dropped(this.#dropped);
    this.#dropped = 0;
  }

  /** The fields of the last one stand for all. */
  #gather<K extends EventKind>(
    kind: K,
    fn: DeployedFunction,
    fields: Parameters<typeof eventOf<K>>[2] & { count: number; reason?: string },
  ): void {
    const key = `${kind} ${fields.reason ?? ""} ${fn.functionId} ${fn.revision}`;
    const before = this.#gathered.get(key);
    if (before === undefined && this.#gathered.size >= GATHERED_MAX) {
      this.#dropped += 1;
      return;
    }
    const event = eventOf(kind, this.#clock.wall(), fields, fn);
    if (before !== undefined) event.fields.count = countOf(before.fields) + fields.count;
    this.#gathered.set(key, event);
    this.#cancelFlush ??= this.#clock.after(GATHER_MS, () => this.flush());
  }
}

function countOf({ count }: EventFields): number {
  return typeof count === "number" ? count : 0;
}
