import type { Clock } from "../domain/clock.ts";
import { MiB } from "../domain/limits.ts";
import { ExpositionText } from "../metrics/exposition/exposition-text.ts";
import { FunctionPlaces } from "../metrics/exposition/function-places.ts";
import { type SampledGauges, gaugesOfSample } from "../metrics/exposition/gauges-of-sample.ts";
import { RunningTotals } from "../metrics/exposition/running-totals.ts";
import { tellDrivers } from "../metrics/exposition/tell-drivers.ts";
import { tellFunctions } from "../metrics/exposition/tell-functions.ts";
import { sandboxStates } from "../pool/sandbox-state.ts";
import type { RecordBatch } from "../records/record-batch.ts";
import type { LiveFunction } from "../store/store.ts";
import { DriverHealth } from "./driver-health.ts";
import { GatewayFacts } from "./gateway-facts.ts";
import type { GatewayLink } from "./ports.ts";

export interface MetricsExportOptions {
  gateway: GatewayLink;
  clock: Clock;
  /** Functions with labels of their own. */
  functionsMax: number;
  /** Of Isola itself. */
  version: string;
}

/** The gateway samples every 5 s; what is older than three of them is not told as of now. */
const SAMPLE_AGE_MS_MAX = 15_000;
const MICROS_PER_SECOND = 1e6;
const MS_PER_SECOND = 1000;

/**
 * What `GET /metrics` tells. It counts what is stored as it is stored; to tell it asks nobody: neither the store nor the gateway, which is asked for its drivers once in each of its lives.
 */
export class MetricsExport {
  readonly #options: MetricsExportOptions;
  readonly #totals: RunningTotals;
  readonly #facts: GatewayFacts;
  readonly #since: number;
  readonly #drivers = new DriverHealth();
  /** Of the gateway whose drivers are known or asked for. */
  #source = "";

  constructor(options: MetricsExportOptions) {
    this.#options = options;
    this.#totals = new RunningTotals(new FunctionPlaces(options.functionsMax));
    this.#facts = new GatewayFacts(options.gateway, options.clock);
    this.#since = options.clock.wall() / MS_PER_SECOND;
  }

  /** A function is there: to be told in the order in which they were created. */
  onLive({ project, name }: LiveFunction): void {
    this.#totals.places.put(project, name);
  }

  /** A batch was stored, for the first time. */
  add(batch: RecordBatch): void {
    this.#totals.add(batch, this.#options.clock.now());
    for (const event of batch.events ?? []) this.#drivers.told(event);
    if (batch.samples !== undefined && batch.source !== this.#source)
      void this.#askDrivers(batch.source);
  }

  text(): string {
    const { gateway, clock } = this.#options;
    const { isConnected } = gateway;
    const sample = isConnected ? this.#totals.lastSample(clock.now(), SAMPLE_AGE_MS_MAX) : null;
    const gauges = sample === null ? null : gaugesOfSample(sample, this.#totals);
    const text = new ExpositionText();
    const drivers = this.#drivers.all();
    const available = drivers.filter(({ isAvailable }) => isAvailable);
    const known = { names: available.map(({ driver }) => driver), states: sandboxStates };
    tellFunctions(text, this.#totals, gauges);
    tellDrivers(text, this.#totals, known, gauges);
    this.#tellServer(text, gauges);
    for (const { driver, tier, isAvailable } of drivers)
      text.add("isola_driver_available", { driver, tier }, Number(isAvailable));
    text.add("isola_gateway_up", {}, Number(isConnected));
    return text.toString();
  }

  #tellServer(text: ExpositionText, gauges: SampledGauges | null): void {
    const { sums, places, recordsLost } = this.#totals;
    const { version } = this.#options;
    if (gauges?.memoryBudgetMiB)
      text.add("isola_memory_budget_bytes", {}, gauges.memoryBudgetMiB * MiB);
    text.add("isola_late_frames_total", {}, sums.lateFrames);
    text.add("isola_records_lost_total", {}, recordsLost);
    text.add("isola_log_lines_lost_total", {}, sums.logLinesLost);
    const { user, system } = process.cpuUsage();
    const [own, other] = [{ process: "control" }, { process: "gateway" }];
    text.add("isola_process_cpu_seconds_total", own, (user + system) / MICROS_PER_SECOND);
    text.add("isola_process_cpu_seconds_total", other, sums.gatewayCpuMs / MS_PER_SECOND);
    text.add("isola_process_resident_memory_bytes", own, process.memoryUsage.rss());
    if (gauges?.gatewayMemoryMiB)
      text.add("isola_process_resident_memory_bytes", other, gauges.gatewayMemoryMiB * MiB);
    text.add("isola_counting_since_seconds", {}, this.#since);
    text.add("isola_functions_labelled", {}, places.size);
    text.add("isola_functions_labelled_max", {}, places.max);
    text.add("isola_build_info", { version, node: process.versions.node }, 1);
  }

  async #askDrivers(source: string): Promise<void> {
    this.#source = source;
    try {
      this.#drivers.found((await this.#facts.ask()).drivers);
    } catch {
      this.#source = ""; // with the next sample
    }
  }
}
