import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { IsolaError, messageOf } from "../errors.ts";

/** What a provider charges for functions; `server/prices` holds the one that comes with Isola. Prices are in `currency`. */
export interface PriceList {
  provider: string;
  region: string;
  currency: string;
  /** When it was read off, `2026-11-29`. */
  date: string;
  source: string;
  note: string;
  perMillionRequests: number;
  perGbSecond: Record<Architecture, PriceTier[]>;
  /** Of `/tmp`, beyond what is free. */
  storage: { freeMiB: number; perGbSecond: number };
  /** Durations are rounded up to a multiple of it. */
  billedMsStep: number;
}

export type Architecture = "x86_64" | "arm64";

/** Holds up to so many GB-seconds of a month, all tiers before included; null: for all the rest. */
export interface PriceTier {
  gbSecondsMax: number | null;
  price: number;
}

export const ownPriceList = fileURLToPath(
  new URL("../../prices/aws-lambda-us-east-1.json", import.meta.url),
);

const BYTES_MAX = 100_000;

/** Throws `invalid_settings` that says what is wrong with the file, and where. */
export function readPriceList(path: string): PriceList {
  let list: unknown;
  try {
    const text = readFileSync(path, "utf8");
    if (text.length > BYTES_MAX) throw new Error(`it has more than ${BYTES_MAX} characters`);
    list = JSON.parse(text);
  } catch (error) {
    throw wrong(path, messageOf(error));
  }
  const problem = problemOf(list);
  if (problem !== null) throw wrong(path, problem);
  return list as PriceList;
}

function wrong(path: string, problem: string): IsolaError {
  const text = `costPriceList: ${path} is no price list: ${problem}; ${ownPriceList} shows the form`;
  return new IsolaError("invalid_settings", text);
}

function problemOf(list: unknown): string | null {
  if (!isObject(list)) return "expected an object";
  for (const name of ["provider", "region", "source", "note"])
    if (typeof list[name] !== "string") return `${name}: expected text`;
  if (!/^[A-Z]{3}$/.test(String(list.currency))) return "currency: expected three capital letters";
  if (!/^\d{4}-\d{2}-\d{2}$/.test(String(list.date))) return "date: expected like 2026-11-29";
  if (!isPrice(list.perMillionRequests)) return "perMillionRequests: expected a price";
  if (!isPrice(list.billedMsStep) || list.billedMsStep === 0)
    return "billedMsStep: expected a number above 0";
  const { storage, perGbSecond } = list;
  if (!isObject(storage) || !isPrice(storage.freeMiB) || !isPrice(storage.perGbSecond))
    return "storage: expected freeMiB and perGbSecond";
  if (!isObject(perGbSecond)) return "perGbSecond: expected x86_64 and arm64";
  for (const architecture of ["x86_64", "arm64"]) {
    const problem = tierProblem(perGbSecond[architecture]);
    if (problem !== null) return `perGbSecond.${architecture}: ${problem}`;
  }
  return null;
}

function tierProblem(tiers: unknown): string | null {
  if (!Array.isArray(tiers) || tiers.length === 0) return "expected a list of tiers";
  let before = 0;
  for (const [at, tier] of (tiers as unknown[]).entries()) {
    if (!isObject(tier) || !isPrice(tier.price)) return `tier ${at}: expected a price`;
    const isLast = at === tiers.length - 1;
    if (isLast && tier.gbSecondsMax !== null) return "the last tier: expected gbSecondsMax null";
    if (isLast) return null;
    if (!isPrice(tier.gbSecondsMax) || tier.gbSecondsMax <= before)
      return `tier ${at}: expected a gbSecondsMax above ${before}`;
    before = tier.gbSecondsMax;
  }
  return null;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isPrice(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}
