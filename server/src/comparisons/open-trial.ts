import type { TrialCalls, TrialMethod, TrialParams, TrialUsage } from "../link/trial-messages.ts";
import type { Call } from "./call-bytes.ts";
import { callBytes } from "./call-bytes.ts";
import type { LoadResult } from "./load-job.ts";
import { LoadFailure, type LoadProcess } from "./load-process.ts";
import type { ComparisonGateway } from "./ports.ts";

/** Beside the longest that the function may take for one call. */
const ANSWER_MS_MAX = 30_000;
const SAMPLE_EVERY_MS = 200;

export interface TrialWork {
  gateway: ComparisonGateway;
  load: LoadProcess;
  signal: AbortSignal;
  onUsage(usage: TrialUsage): void;
}

/** A warm measurement with the usage right before and right after it, and while it ran. */
export interface Measured {
  load: LoadResult;
  before: TrialUsage;
  after: TrialUsage;
  during: TrialUsage[];
}

/** The control plane's end of a trial: `open -> closed`. */
export class OpenTrial {
  readonly #work: TrialWork;
  readonly #id: string;
  readonly #socketPath: string;
  readonly #limitMs: number;

  private constructor(work: TrialWork, { id, fn }: TrialParams, socketPath: string) {
    this.#work = work;
    this.#id = id;
    this.#socketPath = socketPath;
    const { queueTimeoutMs, initTimeoutMs, timeoutMs } = fn.settings;
    this.#limitMs = queueTimeoutMs + initTimeoutMs + timeoutMs + ANSWER_MS_MAX;
  }

  static async open(work: TrialWork, params: TrialParams): Promise<OpenTrial> {
    const { socketPath } = await ask(work, "open", params);
    return new OpenTrial(work, params, socketPath);
  }

  /** The first call after its sandboxes have ended, in ms. Rejects with `LoadFailure` where it did not start as it was to. */
  async cold(call: Call, from: "fresh" | "blank"): Promise<number> {
    await ask(this.#work, "renew", { id: this.#id, from });
    const before = await this.usage();
    const { p50Ms } = await this.#run(call, { connections: 1, warmupMs: 0, durationMs: 0 });
    const after = await this.usage();
    const kinds = Object.keys(after.startKinds).filter(
      (kind) => after.startKinds[kind] !== before.startKinds[kind],
    );
    const isRight = from === "blank" ? kinds[0] === "prewarmed" : kinds[0] !== "prewarmed";
    if (!isRight || kinds.length !== 1 || kinds[0] === "warm")
      throw new LoadFailure(
        `the first call was to start a sandbox (${from}), and was ${kinds.join(", ")}`,
      );
    return p50Ms;
  }

  async renew(): Promise<void> {
    await ask(this.#work, "renew", { id: this.#id, from: "fresh" });
  }

  /** One call, whatever it takes. */
  async once(call: Call): Promise<void> {
    await this.#run(call, { connections: 1, warmupMs: 0, durationMs: 0 });
  }

  async measure(
    call: Call,
    times: { connections: number; warmupMs: number; durationMs: number },
  ): Promise<Measured> {
    const done = new AbortController();
    const begun: { before: TrialUsage; sampling: Promise<TrialUsage[]> }[] = [];
    try {
      const load = await this.#run(call, times, async () => {
        const before = await this.usage();
        const sampling = this.#sample(done.signal);
        sampling.catch(() => {}); // awaited below, where the load went well
        begun.push({ before, sampling });
      });
      const after = await this.usage();
      done.abort();
      const [{ before, sampling }] = begun as [(typeof begun)[0]];
      return { load, before, after, during: await sampling };
    } finally {
      done.abort();
    }
  }

  async usage(): Promise<TrialUsage> {
    const usage = await ask(this.#work, "usage", { id: this.#id });
    this.#work.onUsage(usage);
    return usage;
  }

  startMany(sandboxes: number): Promise<{ seconds: number }> {
    return ask(this.#work, "startMany", { id: this.#id, sandboxes });
  }

  /** Also after an abort. */
  async close(): Promise<void> {
    const params = { method: "close" as const, params: { id: this.#id } };
    await this.#work.gateway.request("trial", params);
  }

  async #sample(done: AbortSignal): Promise<TrialUsage[]> {
    const samples: TrialUsage[] = [];
    while (!done.aborted) {
      samples.push(await this.usage());
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, SAMPLE_EVERY_MS);
        done.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
      });
    }
    return samples;
  }

  #run(
    call: Call,
    times: { connections: number; warmupMs: number; durationMs: number },
    between?: () => Promise<void>,
  ): Promise<LoadResult> {
    const job = { socketPath: this.#socketPath, request: callBytes(call), ...times };
    const limitMs = this.#limitMs + times.warmupMs + times.durationMs;
    return this.#work.load.run(job, limitMs, between);
  }
}

async function ask<K extends TrialMethod>(
  { gateway, signal }: TrialWork,
  method: K,
  params: TrialCalls[K]["params"],
): Promise<TrialCalls[K]["result"]> {
  const asked = { method, params } as Parameters<typeof gateway.request<"trial">>[1];
  return (await gateway.request("trial", asked, signal)) as TrialCalls[K]["result"];
}
