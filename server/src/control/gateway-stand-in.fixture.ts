import { setTimeout } from "node:timers/promises";
import type { DeployedFunction } from "../domain/function.ts";
import { IsolaError } from "../errors.ts";
import type {
  FunctionKey,
  GatewayStatus,
  InvokeParams,
  InvokeResult,
  LinkRequests,
  WarmResult,
} from "../link/messages.ts";
import type { TrialAnswer, TrialAsk } from "../link/trial-messages.ts";
import type { GatewayLink } from "./ports.ts";

/** The gateway's side of the link, without sandboxes: keeps what it is told, and echoes what it is to invoke. */
export class GatewayStandIn implements GatewayLink {
  isConnected = true;
  /** By name, those of other projects than `default` as `project/name`. */
  readonly functions = new Map<string, DeployedFunction>();
  /** Each `apply` waits for this before it takes effect. */
  hold: Promise<void> = Promise.resolve();
  readonly invoked: InvokeParams[] = [];
  /** Calls of `apply` that have come. */
  applies = 0;
  readonly status = statusAtFirst();
  /** As if it went away while one is opened; undefined: none is. */
  loseTrials: (() => void) | undefined;

  /** Resolves once it holds; the test's own time limit ends a wait in vain. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await setTimeout(5);
  }

  async request<K extends keyof LinkRequests>(
    kind: K,
    params: LinkRequests[K]["params"],
    signal?: AbortSignal,
  ): Promise<LinkRequests[K]["result"]> {
    if (kind === "trial") return this.#trial(params as TrialAsk, signal) as never;
    if (!this.isConnected) throw new IsolaError("not_ready", "the gateway is not connected");
    return (await this.#answer(kind, params)) as LinkRequests[K]["result"];
  }

  async #answer(kind: keyof LinkRequests, params: unknown): Promise<unknown> {
    if (kind === "status") return { ...this.status, functions: this.functions.size };
    if (kind === "invoke") return this.#invoke(params as InvokeParams);
    if (kind === "warm") return this.#warm(params as FunctionKey);
    if (kind === "closeDebug") return null;
    if (kind === "openDebug") throw new IsolaError("not_ready", "there are no sandboxes to debug");
    this.applies += 1;
    await this.hold;
    const { upserts, removes } = params as LinkRequests["apply"]["params"];
    for (const fn of upserts) this.functions.set(keyOf(fn), structuredClone(fn));
    for (const key of removes) this.functions.delete(keyOf(key));
    return { functions: this.functions.size };
  }

  /** Opens none before it is given up, or goes away. */
  #trial({ method }: TrialAsk, signal?: AbortSignal): Promise<TrialAnswer> {
    if (method === "close") return Promise.resolve(null);
    return new Promise((_resolve, reject) => {
      this.loseTrials = () => reject(new IsolaError("not_ready", "the gateway went away"));
      const givenUp = () => reject(new IsolaError("cancelled", "the request was given up"));
      signal?.addEventListener("abort", givenUp);
      if (signal?.aborted) givenUp();
    });
  }

  #warm(key: FunctionKey): WarmResult {
    return {
      revision: this.functions.get(keyOf(key))?.revision ?? 0,
      startKind: "prewarmed",
      sandboxId: "sb-1",
      phases: { queueMs: 0.5, startMs: 0, initMs: 1.5 },
      error: null,
    };
  }

  #invoke(params: InvokeParams): InvokeResult {
    this.invoked.push(params);
    return {
      id: "inv-1",
      revision: this.functions.get(keyOf(params))?.revision ?? 0,
      status: 200,
      headers: [["content-type", "text/plain"]],
      bodyBase64: params.bodyBase64,
      outcome: "ok",
      error: null,
      startKind: "warm",
      phases: { queueMs: 0.5, startMs: null, initMs: null, runMs: 1.5 },
      logs: [],
    };
  }
}

function keyOf({ project, name }: FunctionKey): string {
  return project === "default" ? name : `${project}/${name}`;
}

function statusAtFirst(): GatewayStatus {
  return {
    pid: 1,
    uptimeMs: 1000,
    functions: 0,
    runningInvocations: 0,
    memoryBudgetMiB: 1024,
    memoryReservedMiB: 128,
    pools: [],
    blankPools: [],
    drivers: [
      {
        name: "process",
        isAvailable: true,
        tier: "namespaces",
        versions: { bubblewrap: "0.8.0" },
        protections: [{ name: "memory", isEnforced: true, how: "cgroup v1" }],
        problems: [],
        fixes: [],
      },
    ],
    runtimes: [
      { name: "nodejs24", family: "nodejs", version: "24.14.0" },
      { name: "nodejs26", family: "nodejs", version: "26.10.0" },
      { name: "python3.9", family: "python", version: "3.9.2" },
      { name: "python3.11", family: "python", version: "3.11.2" },
    ],
    recordsLost: 0,
    logsLost: 0,
    lateFrames: 0,
  };
}
