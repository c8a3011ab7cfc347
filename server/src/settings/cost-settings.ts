import type { SettingSpec } from "./setting-spec.ts";

/** What the machine costs, and whom it is compared with. */
export const costSettings = {
  costPricePerHour: {
    kind: "decimal",
    least: 0,
    most: 1_000_000,
    default: 0.1,
    help: "Price of the machine per hour, of which the cost of functions is computed (docs/cost.md); the default is about that of 2 cores with 8 GiB in a public cloud",
  },
  costCurrency: {
    kind: "currency",
    default: "USD",
    help: "Currency of `costPricePerHour`",
  },
  costCores: {
    kind: "integer",
    least: 0,
    most: 100_000,
    default: 0,
    help: "Cores of the machine that is paid for; 0: as many as this one has",
  },
  costMemoryMiB: {
    kind: "integer",
    least: 0,
    most: 1_000_000_000,
    default: 0,
    help: "Memory of the machine that is paid for; 0: as much as this one has",
  },
  costHeadroomPercent: {
    kind: "integer",
    least: 0,
    most: 95,
    default: 30,
    help: "Part of the machine that is paid for and kept free, for peaks and for what is not functions",
  },
  costPriceList: {
    kind: "path",
    default: null,
    shown: "`server/prices/aws-lambda-us-east-1.json`",
    help: "Price list of a provider that costs are compared with (docs/cost.md)",
  },
} as const satisfies Record<string, SettingSpec>;
