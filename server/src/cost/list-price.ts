import type { Architecture, PriceList, PriceTier } from "./price-list.ts";

/** What calls of one kind are charged for. */
export interface BilledCalls {
  calls: number;
  /** Of all of them, each rounded up. */
  billedMs: number;
  memoryMiB: number;
  tmpMiB: number;
}

/** In the currency of the list. */
export interface ListPrice {
  requests: number;
  duration: number;
  storage: number;
  total: number;
}

const MIB_PER_GB = 1024;

/** What the calls cost at the provider, as if all of them fell into one month of an account that has no others. */
export function listPrice(
  all: readonly BilledCalls[],
  list: PriceList,
  architecture: Architecture,
): ListPrice {
  let calls = 0;
  let gbSeconds = 0;
  let storageGbSeconds = 0;
  for (const each of all) {
    const seconds = each.billedMs / 1000;
    calls += each.calls;
    gbSeconds += seconds * (each.memoryMiB / MIB_PER_GB);
    const extraMiB = Math.max(0, each.tmpMiB - list.storage.freeMiB);
    storageGbSeconds += seconds * (extraMiB / MIB_PER_GB);
  }
  const requests = (calls / 1e6) * list.perMillionRequests;
  const duration = tiered(gbSeconds, list.perGbSecond[architecture]);
  const storage = storageGbSeconds * list.storage.perGbSecond;
  return { requests, duration, storage, total: requests + duration + storage };
}

function tiered(gbSeconds: number, tiers: readonly PriceTier[]): number {
  let price = 0;
  let from = 0;
  for (const tier of tiers) {
    const to = Math.min(gbSeconds, tier.gbSecondsMax ?? Number.POSITIVE_INFINITY);
    if (to <= from) break;
    price += (to - from) * tier.price;
    from = to;
  }
  return price;
}

/** One call of this length, as it is billed. */
export function billedMsOf(ms: number, { billedMsStep }: Pick<PriceList, "billedMsStep">): number {
  return Math.max(1, Math.ceil(ms / billedMsStep)) * billedMsStep;
}
