import type { Clock } from "../domain/clock.ts";
import type { DeployedFunction } from "../domain/function.ts";
import type { GatewaySample, SamplePart } from "../domain/gateway-sample.ts";
import { MiB } from "../domain/limits.ts";

export const SAMPLE_EVERY_MS = 5000;

export interface SamplerOptions {
  clock: Clock;
  /** Of the pools: see `Pools.sample`. */
  pools(): SamplePart[];
  memoryBudgetMiB: number;
  /** Frames that came too late, so far. */
  lateFrames(): number;
  /** Log lines that had to be dropped, so far. */
  logLinesLost(): number;
  onSample(sample: GatewaySample): void;
}

/** Looks at the gateway every few seconds: `idle -> sampling -> closed`. What it counts meanwhile costs a call nothing that is not refused. */
export class Sampler {
  readonly #options: SamplerOptions;
  readonly #throttled = new Map<string, SamplePart>();
  #cancel: () => void = () => {};
  #lateFrames = 0;
  #logLinesLost = 0;
  #cpu = process.cpuUsage();

  constructor(options: SamplerOptions) {
    this.#options = options;
  }

  start(): void {
    this.#cancel = this.#options.clock.after(SAMPLE_EVERY_MS, () => {
      this.sample();
      this.start();
    });
  }

  /** With a last sample: what was counted is not lost. */
  close(): void {
    this.#cancel();
    this.sample();
  }

  /** A call was refused because as many are under way as may be. */
  throttled({ project, name, functionId, revision, settings }: DeployedFunction): void {
    const key = `${functionId} ${revision}`;
    const labels = { project, functionName: name, functionId, revision, driver: settings.driver };
    const part = this.#throttled.get(key) ?? { ...labels, values: { throttled: 0 } };
    this.#throttled.set(key, part);
    part.values.throttled = (part.values.throttled as number) + 1;
  }

  sample(): void {
    const { clock, pools, onSample } = this.#options;
    const parts = [...pools(), ...this.#throttled.values(), this.#ownPart()];
    this.#throttled.clear();
    onSample({ at: clock.wall(), parts });
  }

  #ownPart(): SamplePart {
    const { memoryBudgetMiB, lateFrames, logLinesLost } = this.#options;
    const late = lateFrames();
    const lost = logLinesLost();
    const cpu = process.cpuUsage();
    const micros = cpu.user + cpu.system - this.#cpu.user - this.#cpu.system;
    const values = {
      ...{ memoryBudget: memoryBudgetMiB, lateFrames: late - this.#lateFrames },
      logLinesLost: lost - this.#logLinesLost,
      ...{ gatewayCpu: micros / 1000, gatewayMemory: process.memoryUsage.rss() / MiB },
    };
    this.#lateFrames = late;
    this.#logLinesLost = lost;
    this.#cpu = cpu;
    return {
      ...{ project: "", functionName: "", functionId: "", revision: 0, driver: "" },
      values,
    };
  }
}
