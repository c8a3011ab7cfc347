import { availableParallelism, totalmem } from "node:os";
import type { Clock } from "../domain/clock.ts";
import type { FigureName } from "../domain/comparison.ts";
import { type DriverName, driverNames } from "../domain/function.ts";
import { MiB } from "../domain/limits.ts";
import type { CallTotals, ComparisonRow } from "../store/comparison-store.ts";
import type { Store } from "../store/store.ts";
import { type DriverCost, driverCost, listPricePerMillion } from "./driver-cost.ts";
import { type FunctionCost, functionCost } from "./function-cost.ts";
import { type BilledCalls, type ListPrice, listPrice } from "./list-price.ts";
import { type MachineModel, type MachinePrice, machinePrice } from "./machine-price.ts";
import type { PriceList } from "./price-list.ts";

export interface CostsOptions {
  store: Pick<Store, "callTotals" | "getComparison" | "listComparisons" | "getRevision">;
  model: MachineModel;
  list: PriceList;
  recordsKeptHours: number;
  clock: Clock;
}

export interface CostAsked {
  project: string;
  functionName?: string;
  since?: number;
  until?: number;
  comparison?: string;
}

type ByArchitecture = Record<"x86_64" | "arm64", ListPrice>;

export interface FunctionCostRow extends FunctionCost {
  functionName: string;
  driver: string;
  calls: number;
  comparison: string | null;
  listPrice: ByArchitecture;
}

export interface CostReport {
  machine: MachinePrice;
  since: number;
  until: number;
  functions: FunctionCostRow[];
  total: { calls: number; cost: number; machineCost: number; listPrice: ByArchitecture };
  comparison: { row: ComparisonRow; drivers: PricedDriver[] } | null;
}

export interface PricedDriver extends DriverCost {
  listPricePerMillion: ByArchitecture | null;
}

const SINCE_MS = 30 * 86_400_000;
/** Looked through for the latest of each function. */
const COMPARISONS_MAX = 200;

/** What the machine, or a provider by its list, costs for what functions did. */
export class Costs {
  readonly options: CostsOptions;

  constructor(options: CostsOptions) {
    this.options = options;
  }

  /** Rejects with `not_found` where there is no such comparison. */
  async report(asked: CostAsked): Promise<CostReport> {
    const { store, clock, model, list } = this.options;
    const { project, functionName } = asked;
    const until = asked.until ?? clock.wall();
    const since = asked.since ?? Math.max(0, until - SINCE_MS);
    const machine = machinePrice(model);
    const of = { project, ...(functionName !== undefined && { functionName }) };
    const done = await this.#done(of);
    const uses = await usesOf(store, await store.callTotals({ ...of, since, until }));
    const functions = uses.map((use) => costOf(use, done, { machine, list }));
    functions.sort((a, b) => b.cost - a.cost || (a.functionName < b.functionName ? -1 : 1));
    const row = await this.#asked(asked, done);
    const hours = Math.max(0, until - since) / 3_600_000;
    return {
      ...{ machine, since, until, functions },
      total: {
        calls: functions.reduce((sum, each) => sum + each.calls, 0),
        cost: functions.reduce((sum, each) => sum + each.cost, 0),
        machineCost: hours * model.pricePerHour,
        listPrice: listPrices(
          uses.flatMap(({ billed }) => billed),
          list,
        ),
      },
      comparison: row && {
        row,
        drivers: row.drivers
          .filter(({ state }) => state === "measured")
          .map((result) => ({
            ...driverCost(result, row.subject, machine),
            listPricePerMillion: listPricePerMillion(result, row.subject, list),
          })),
      },
    };
  }

  /** Newest first. */
  async #done(of: { project: string; functionName?: string }): Promise<ComparisonRow[]> {
    const { store } = this.options;
    const { items } = await store.listComparisons({ ...of, limit: COMPARISONS_MAX });
    return items.filter(({ state }) => state === "done");
  }

  async #asked(asked: CostAsked, done: ComparisonRow[]): Promise<ComparisonRow | null> {
    if (asked.comparison !== undefined)
      return await this.options.store.getComparison(asked.project, asked.comparison);
    return asked.functionName === undefined ? null : (done[0] ?? null);
  }
}

/** The machine of the settings; what they leave open is as this one has it. */
export function machineModel(config: {
  costPricePerHour: number;
  costCurrency: string;
  costCores: number;
  costMemoryMiB: number;
  costHeadroomPercent: number;
}): MachineModel {
  return {
    currency: config.costCurrency,
    pricePerHour: config.costPricePerHour,
    cores: config.costCores || availableParallelism(),
    memoryMiB: config.costMemoryMiB || Math.floor(totalmem() / MiB),
    headroomPercent: config.costHeadroomPercent,
  };
}

interface Use {
  functionName: string;
  driver: DriverName;
  calls: number;
  /** MiB by ms, summed over revisions with memory settings of their own. */
  parts: { memoryMiB: number; calls: number; busyMs: number }[];
  billed: BilledCalls[];
}

/** By function and driver. The memory of a call is that of its revision. */
async function usesOf(store: CostsOptions["store"], totals: CallTotals[]): Promise<Use[]> {
  const uses = new Map<string, Use>();
  for (const { functionName, functionId, revision, driver, calls, busyMs, billedMs } of totals) {
    const settings = await settingsOf(store, functionId, revision);
    if (settings === null || !isDriver(driver)) continue;
    const key = `${functionName} ${driver}`;
    const use = uses.get(key) ?? { functionName, driver, calls: 0, parts: [], billed: [] };
    uses.set(key, use);
    const { memoryMiB, tmpMiB } = settings;
    use.calls += calls;
    use.parts.push({ memoryMiB, calls, busyMs });
    use.billed.push({ calls, billedMs, memoryMiB, tmpMiB });
  }
  return [...uses.values()];
}

/** null: the function was deleted, and its settings with it. */
async function settingsOf(store: CostsOptions["store"], functionId: string, revision: number) {
  const row = await store.getRevision(functionId, revision).catch(() => null);
  return row?.settings ?? null;
}

function isDriver(name: string): name is DriverName {
  return (driverNames as readonly string[]).includes(name);
}

function costOf(
  { functionName, driver, calls, parts, billed }: Use,
  done: readonly ComparisonRow[],
  { machine, list }: { machine: MachinePrice; list: PriceList },
): FunctionCostRow {
  const measured = measuredCpu(done, functionName, driver);
  const cpuMicrosPerCall = measured?.micros ?? null;
  const costs = parts.map((part) => functionCost({ ...part, driver, cpuMicrosPerCall }, machine));
  const gbSeconds = costs.reduce((sum, each) => sum + each.gbSeconds, 0);
  const memoryCost = costs.reduce((sum, each) => sum + each.memoryCost, 0);
  const row = { functionName, driver, calls, gbSeconds, memoryCost };
  const rest = { comparison: measured?.id ?? null, listPrice: listPrices(billed, list) };
  if (cpuMicrosPerCall === null)
    return { ...row, cpuSeconds: null, cpuCost: null, cost: memoryCost, ...rest };
  const cpuSeconds = costs.reduce((sum, each) => sum + (each.cpuSeconds ?? 0), 0);
  const cpuCost = costs.reduce((sum, each) => sum + (each.cpuCost ?? 0), 0);
  return { ...row, cpuSeconds, cpuCost, cost: Math.max(memoryCost, cpuCost), ...rest };
}

function measuredCpu(done: readonly ComparisonRow[], functionName: string, driver: string) {
  for (const { id, functionName: name, drivers } of done) {
    if (name !== functionName) continue;
    const figures = drivers.find((one) => one.driver === driver)?.figures ?? [];
    const median = (wanted: FigureName) =>
      figures.find((one) => one.workload === "function" && one.name === wanted)?.median ?? null;
    const [own, gateway] = [median("cpuPerCall"), median("gatewayCpuPerCall")];
    if (own !== null && gateway !== null) return { id, micros: own + gateway };
  }
  return null;
}

function listPrices(billed: readonly BilledCalls[], list: PriceList): ByArchitecture {
  return { x86_64: listPrice(billed, list, "x86_64"), arm64: listPrice(billed, list, "arm64") };
}
