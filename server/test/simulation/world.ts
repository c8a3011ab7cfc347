import { DeadlineWatch } from "../../src/keeper/deadline-watch.ts";
import type { DeployedFunction } from "../../src/domain/function.ts";
import { guardDriver, START_TIMEOUT_MS } from "../../src/drivers/guarded-driver.ts";
import { IsolaError } from "../../src/errors.ts";
import { Admission } from "../../src/gateway/admission.ts";
import { type FunctionEntry, FunctionTable } from "../../src/gateway/function-table.ts";
import type { InvocationContext } from "../../src/gateway/invocation-context.ts";
import { SandboxLogs } from "../../src/gateway/sandbox-logs.ts";
import { Balance, type SharedLimits } from "./balance.ts";
import { type WaitLimits, drawRevision, drawWaitLimits } from "./deployment.ts";
import { Ledger } from "./ledger.ts";
import type { Nature } from "./nature.ts";
import { ObservedPools } from "./observed-pools.ts";
import { Promises } from "./promises.ts";
import { ObservedInvocation, SimulatedCall } from "./simulated-call.ts";
import { SimulatedDriver } from "./simulated-driver.ts";

const STARTS_UNBOUNDED = 100_000;
const MINUTE_MS = 60_000;

/** A gateway's pools and calls on a simulated machine, and those who deploy and call. Everything is drawn from the seed. */
export class World {
  readonly pools: ObservedPools;
  readonly balance: Balance;
  readonly promises: Promises;
  readonly #nature: Nature;
  readonly #table: FunctionTable;
  readonly #context: InvocationContext;
  readonly #waitLimits: WaitLimits[];
  readonly #projects: string[];
  readonly #admission: Admission;
  readonly #invocationsMax: number;
  readonly #deployed: (DeployedFunction | null)[];
  #revisions = 0;
  #calls = 0;

  constructor(nature: Nature) {
    const { loop, random, watch } = nature;
    this.#nature = nature;
    const count = random.pick([1, 1, 2, 2, 3]);
    this.#waitLimits = Array.from({ length: count }, () => drawWaitLimits(random));
    this.#deployed = this.#waitLimits.map(() => null);
    this.#projects = this.#waitLimits.map(() => random.pick(["default", "default", "other"]));
    this.#invocationsMax = random.pick([3, 1000, 1000, 1000]);
    this.#admission = new Admission(this.#invocationsMax);
    const limits = drawSharedLimits(nature);
    watch.say(() => `the machine: ${JSON.stringify(limits)}`);
    watch.say(() => `the world: ${JSON.stringify(nature.profile)}`);
    const ledger = new Ledger(watch);
    this.promises = new Promises(
      { loop, watch, ledger },
      (name) => this.#waitLimits[Number(name.slice(1))] as WaitLimits,
    );
    const driver = new SimulatedDriver(nature, this.promises);
    const logs = new SandboxLogs({ clock: loop, onRecord() {}, onStray() {} });
    this.#context = {
      clock: loop,
      logs,
      onDone: (_call, record, count) => {
        this.promises.onRecord(record);
        this.#admission.leave(count);
      },
      onLateFrame() {},
    };
    const onProblem = (message: string) => this.promises.onProblem(message);
    this.pools = new ObservedPools({
      bootId: "s",
      clock: loop,
      defaultDriver: "process",
      drivers: new Map([["process", ledger.watched(guardDriver(driver, START_TIMEOUT_MS, loop))]]),
      runtimes: new Map([
        ["nodejs26", runtimeOf("nodejs26", "nodejs")],
        ["python3.11", runtimeOf("python3.11", "python")],
      ]),
      ...limits,
      blankQuietMs: random.pick([1000, 60_000, 900_000]),
      code: () => this.#code(),
      events: {
        onLog: (sandbox, log) => logs.onLog(sandbox, log),
        onRaw: (sandbox, stream, bytes) => logs.onRaw(sandbox, stream, bytes),
      },
      watch: new DeadlineWatch(loop, () => {}),
      onProblem,
    });
    this.#table = new FunctionTable(this.pools, this.#admission, onProblem);
    this.promises.observe(this.pools, driver.sandboxes);
    const given = { pools: this.pools, ledger, sandboxes: driver.sandboxes, watch };
    this.balance = new Balance(given, limits);
  }

  /** Plans what people do until `untilMs`, and begins. */
  begin(untilMs: number): void {
    const { random, loop } = this.#nature;
    this.#table.reset([], true, true);
    this.pools.start();
    for (const index of this.#deployed.keys())
      loop.later(random.pick([0, 0, 50]), () => this.#deploy(index));
    const bursts = random.between(1, 6);
    for (let burst = 0; burst < bursts; burst += 1)
      loop.later(random.between(0, untilMs), () => this.#burst());
    for (let change = random.pick([0, 0, 1, 2, 4]); change > 0; change -= 1)
      loop.later(random.between(1, untilMs), () => this.#change());
    if (random.chance(0.1)) loop.later(random.between(1, untilMs), () => this.#stall());
  }

  #burst(): void {
    const { random, loop } = this.#nature;
    const most = random.pick([1, 3, 8]);
    for (let left = random.between(1, most); left > 0; left -= 1)
      loop.later(random.chance(0.7) ? 0 : random.between(0, 40), () => this.#call());
  }

  #call(): void {
    const { random, loop, watch, profile } = this.#nature;
    const fn = random.pick(this.#deployed);
    if (fn === null) return;
    const entry = this.#table.get(fn.project, fn.name);
    if (entry === null) return watch.fail(`${fn.name} was deployed and is not in the table`);
    this.#calls += 1;
    const call = new SimulatedCall(this.#nature, `c${this.#calls}`, fn.name);
    watch.say(() => `${call.id} calls ${fn.name} revision ${fn.revision}`);
    const body = random.chance(0.2) ? Buffer.from("request") : null;
    if (this.pools.isClosed && entry.pool === null) return; // refused before there is a call
    if (!this.#isLetIn(entry)) return;
    this.promises.calls.set(call.id, call);
    const pool = this.#table.poolOf(entry);
    const given = { observer: this.promises, body, count: entry };
    new ObservedInvocation(this.#context, pool, call, given).start();
    if (random.chance(profile.leaveChance))
      loop.later(random.pick([0, 0, 1, 20, 200, fn.settings.timeoutMs]), () => call.leave());
  }

  /** What is reserved is the function's own, and all of it; what is not, is for the others. */
  #isLetIn(entry: FunctionEntry): boolean {
    const { watch } = this.#nature;
    const { reservedConcurrency } = entry.fn.settings;
    const { calls } = this.#admission;
    try {
      this.#admission.enter(entry);
    } catch {
      this.promises.seen.add("not let in");
      const isFull = calls >= this.#invocationsMax || entry.calls >= (reservedConcurrency ?? 0);
      watch.check(isFull, () => `a call of ${entry.fn.name} is not let in, and has its place`);
      return false;
    }
    const most = reservedConcurrency ?? this.#invocationsMax;
    const isRight = entry.calls <= most && this.#admission.calls <= this.#invocationsMax;
    watch.check(isRight, () => `${entry.calls} calls of ${entry.fn.name} are let in`);
    return true;
  }

  /** One calls a function again and again at a distance of minutes, and learns whether a sandbox waits for it. */
  beginRounds(minutes: number, times: number): void {
    const { loop } = this.#nature;
    for (let turn = 1; turn <= times; turn += 1)
      loop.later(turn * minutes * MINUTE_MS, () => {
        this.#lookAhead(minutes);
        this.#call();
      });
  }

  /** Whether something was started since the last round, in which nobody called. */
  #lookAhead(minutes: number): void {
    const since = this.#nature.loop.now() - (minutes - 1) * MINUTE_MS;
    for (const { fn, sandboxes } of this.pools.all)
      for (const { isIdle, readyAt } of sandboxes)
        if (isIdle && readyAt > since && fn.settings.minSandboxes === 0)
          this.promises.seen.add("started ahead");
  }

  checkRest(): void {
    const { calls } = this.#admission;
    this.#nature.watch.check(calls === 0, () => `${calls} calls are counted at rest`);
  }

  #change(): void {
    const { random } = this.#nature;
    const index = random.below(this.#deployed.length);
    if (this.#deployed[index] === null || random.chance(0.7)) this.#deploy(index);
    else this.#remove(index);
  }

  /** Something keeps the event loop busy. */
  #stall(): void {
    const { random, loop, watch } = this.#nature;
    loop.stall(random.pick([10, 300, 5000]));
    watch.say(() => "the event loop comes back from a stall");
  }

  #deploy(index: number): void {
    const { random, watch } = this.#nature;
    this.#revisions += 1;
    const before = this.#deployed[index] ?? null;
    const fn = drawRevision(random, {
      index,
      project: this.#projects[index] as string,
      revision: this.#revisions,
      functionId: before?.functionId ?? `id${this.#revisions}`,
      limits: this.#waitLimits[index] as WaitLimits,
    });
    watch.say(
      () => `${fn.name} revision ${fn.revision} is deployed: ${JSON.stringify(fn.settings)}`,
    );
    this.#deployed[index] = fn;
    this.promises.onDeploy(fn.name);
    this.#table.upsert(fn);
  }

  #remove(index: number): void {
    const fn = this.#deployed[index];
    if (fn === null || fn === undefined) return;
    this.#nature.watch.say(() => `${fn.name} is deleted`);
    this.#deployed[index] = null;
    this.#table.remove(fn);
  }

  #code(): AsyncIterable<Buffer> {
    const { random, profile, loop } = this.#nature;
    const how = random.weighted(profile.code);
    return (async function* () {
      if (how === "hang") await new Promise(() => {});
      if (how === "slow")
        await new Promise<void>((resolve) => loop.later(random.between(1, 1000), resolve));
      if (how === "fail") throw new IsolaError("sandbox_start_failed", "the code is not there");
      yield Buffer.from("code");
    })();
  }
}

function drawSharedLimits({ random }: Nature): SharedLimits {
  return {
    memoryBudgetMiB: 100 + 128 * random.pick([1, 2, 3, 4, 6, 10, 30]),
    startsAtOnceMax: random.pick([1, 2, 4, STARTS_UNBOUNDED]),
    queueLengthMax: random.pick([1, 3, 10]),
    blanks: { nodejs: random.pick([0, 0, 1, 2]), python: random.pick([0, 0, 0, 1]) },
  };
}

function runtimeOf(name: string, family: "nodejs" | "python") {
  return {
    name,
    family,
    version: "1",
    executable: "/none",
    args: [],
    runtimeDir: "/none",
    needs: [],
  };
}
