import { rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { IsolaError } from "../errors.ts";
import type { TrialAnswer, TrialAsk, TrialParams, TrialUsage } from "../link/trial-messages.ts";
import type { PooledSandbox } from "../pool/pooled-sandbox.ts";
import type { SandboxLogs } from "./sandbox-logs.ts";
import { Trial, type TrialOptions } from "./trial.ts";

/** Of `/proc/<pid>/stat`: USER_HZ, which is 100 on every architecture that Node.js runs on. */
const TICK_MICROS = 10_000;

export interface TrialsOptions extends Omit<TrialOptions, keyof TrialParams> {
  keeperPid(): number | undefined;
  /** Calls that have ended, without those of trials. */
  otherCalls(): number;
}

/** The trial of this gateway, one at a time: `none -> opening -> open -> closing -> none`. */
export class Trials {
  readonly #options: TrialsOptions;
  #trial: Trial | null = null;
  #closing: Promise<void> = Promise.resolve();

  constructor(options: TrialsOptions) {
    this.#options = options;
    rmSync(options.socketPath, { force: true }); // of a life that was killed
  }

  async answer({ method, params }: TrialAsk): Promise<TrialAnswer> {
    switch (method) {
      case "open":
        return await this.#open(params);
      case "renew":
        await this.#get(params.id).renew(params.from);
        return null;
      case "usage":
        return await this.#usage(this.#get(params.id));
      case "startMany":
        return await this.#get(params.id).startMany(params.sandboxes);
      case "close":
        if (this.#trial?.id === params.id) await this.close();
        return null;
    }
  }

  /** null: not of a trial. */
  logsOf(sandbox: PooledSandbox): SandboxLogs | null {
    return this.#trial?.owns(sandbox) ? this.#trial.logs : null;
  }

  /** Nobody waits for it. Rejects where something of it is left; the next one may be opened all the same. */
  close(): Promise<void> {
    const trial = this.#trial;
    if (trial === null) return this.#closing;
    const ended = trial.close().finally(() => {
      if (this.#trial === trial) this.#trial = null;
    });
    this.#closing = ended.catch(() => {}); // told to whoever closed it
    return ended;
  }

  async #open(params: TrialParams): Promise<{ socketPath: string }> {
    await this.#closing;
    if (this.#trial !== null)
      throw new IsolaError(
        "conflict",
        `trial ${this.#trial.id} is under way; there is one at a time`,
      );
    const trial = new Trial({ ...this.#options, ...params });
    this.#trial = trial;
    try {
      await trial.listen();
    } catch (error) {
      await this.close();
      throw error;
    }
    return { socketPath: this.#options.socketPath };
  }

  #get(id: string): Trial {
    if (this.#trial?.id === id) return this.#trial;
    throw new IsolaError("not_found", `trial ${id} has ended`);
  }

  async #usage(trial: Trial): Promise<TrialUsage> {
    const { user, system } = process.cpuUsage();
    const keeperMicros = await cpuMicrosOf(this.#options.keeperPid());
    return {
      sandboxes: await trial.usage(),
      gatewayCpuMicros: user + system + keeperMicros,
      startKinds: trial.startKinds,
      otherCalls: this.#options.otherCalls(),
    };
  }
}

/** 0 where it cannot be read: the keeper works at starts and ends, and little during calls. */
async function cpuMicrosOf(pid: number | undefined): Promise<number> {
  if (pid === undefined) return 0;
  const stat = await readFile(`/proc/${pid}/stat`, "latin1").catch(() => ""); // see above
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * TICK_MICROS;
}
