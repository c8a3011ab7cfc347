import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setImmediate } from "node:timers/promises";
import type { Clock } from "../../src/domain/clock.ts";
import type { PlatformEvent } from "../../src/domain/events.ts";
import type { Schedule } from "../../src/domain/function.ts";
import { IsolaError } from "../../src/errors.ts";
import type { InvokeParams, InvokeResult } from "../../src/link/messages.ts";
import { ManualClock } from "../../src/pool/testing/manual-clock.ts";
import { Scheduler } from "../../src/schedules/scheduler.ts";
import { newRevision, settings } from "../../src/store/conformance/fixture.ts";
import { openSqliteStore } from "../../src/store/sqlite/open-sqlite-store.ts";
import type { Store } from "../../src/store/store.ts";

export const minute = 60_000;
export const hour = 60 * minute;

/** A call that the gateway was asked for; it goes on until the test ends it. */
export interface Asked {
  params: InvokeParams;
  end(outcome?: string, error?: InvokeResult["error"]): void;
  fail(error: Error): void;
}

/** A scheduler over a real store, whose clock moves when told, and whose gateway is the test. */
export class ScheduleBench {
  readonly clock: ManualClock;
  readonly events: PlatformEvent[] = [];
  readonly asked: Asked[] = [];
  readonly gateway = { isConnected: true, request: this.#request.bind(this) };
  readonly store: Store;
  scheduler!: Scheduler;
  runsMax = 100;
  /** Calls end by themselves, at once. */
  isQuick = true;
  #life = 0;

  private constructor(store: Store, clock: ManualClock) {
    this.store = store;
    this.clock = clock;
  }

  /** At `text`, `2026-11-30T12:00:00Z`. */
  static async open(t: TestContext, text: string): Promise<ScheduleBench> {
    const clock = new ManualClock();
    clock.jumpWall(Date.parse(text) - clock.wall());
    const dir = mkdtempSync(join(tmpdir(), "isola-schedules-"));
    const store = await openSqliteStore({ path: join(dir, "isola.db"), clock });
    const bench = new ScheduleBench(store, clock);
    await bench.start();
    t.after(async () => {
      await bench.scheduler.close();
      await store.close();
      rmSync(dir, { recursive: true });
    });
    return bench;
  }

  /** Another life on the same store; the one before ends without a word. */
  async start(): Promise<void> {
    const { store, gateway, runsMax } = this;
    this.#life += 1;
    const clock = this.#clockOf(this.#life);
    const events = { add: (event: PlatformEvent) => void this.events.push(event) };
    const log = { warn: (fields: object, text: string) => console.error(text, fields) };
    const parts = { store, gateway, events, clock, log, runsMax };
    this.scheduler = await Scheduler.open(parts);
  }

  /** Of a life that may be over: then nothing comes due in it any more. */
  #clockOf(life: number): Clock {
    return {
      now: () => this.clock.now(),
      wall: () => this.clock.wall(),
      after: (delayMs, run) => this.clock.after(delayMs, () => life === this.#life && run()),
    };
  }

  async create(name: string, schedules: Schedule[], project = "default"): Promise<string> {
    const first = newRevision({ settings: { ...settings, schedules } });
    const about = { project, name, description: "", labels: {} };
    const { fn } = await this.store.createFunction({ ...about, first });
    this.scheduler.put(fn, first.settings);
    return fn.id;
  }

  async change(name: string, schedules: Schedule[]): Promise<void> {
    const next = newRevision({ settings: { ...settings, schedules } });
    const { fn } = await this.store.addRevision("default", name, () => next);
    this.scheduler.put(fn, next.settings);
  }

  async delete(name: string): Promise<void> {
    await this.store.deleteFunction("default", name);
    this.scheduler.delete({ project: "default", name });
  }

  /** Moves the clock in steps, in which what has begun goes on. */
  async pass(ms: number, stepMs = 10_000): Promise<void> {
    for (let left = ms; left > 0; left -= stepMs) {
      this.clock.advance(Math.min(left, stepMs));
      await this.settle();
    }
  }

  /** Until nothing moves any more: the store answers within turns of the event loop. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 30; turn += 1) await setImmediate();
  }

  /** `nightly 03:00`: what was asked for, as the event says, in order. */
  get runs(): string[] {
    return this.asked.map(({ params }) => {
      const event = JSON.parse(Buffer.from(params.bodyBase64, "base64").toString());
      return `${params.schedule} ${String(event?.time ?? event).slice(5, 16)}`;
    });
  }

  /** Kinds of events, with the fields that are named. */
  told(...names: string[]): unknown[][] {
    return this.events.map(({ kind, fields }) => [kind, ...names.map((name) => fields[name])]);
  }

  #request(_kind: "invoke", params: InvokeParams): Promise<InvokeResult> {
    if (!this.gateway.isConnected) throw new IsolaError("not_ready", "the gateway is away");
    return new Promise((resolve, reject) => {
      const end: Asked["end"] = (outcome = "ok", error = null) =>
        resolve({ id: params.id, outcome, error } as InvokeResult);
      this.asked.push({ params, end, fail: reject });
      if (this.isQuick) end();
    });
  }
}

export function every(cron: string, name = "s", more: Partial<Schedule> = {}): Schedule {
  return { name, cron, timeZone: "UTC", enabled: true, ...more };
}
