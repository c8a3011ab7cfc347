import Type, { type Static } from "typebox";
import { NAME_PATTERN } from "./limits.ts";
import { projectMember } from "./projects.ts";
import { closed, integer, moment, nullable, oneOf } from "./shapes.ts";

const unixMs = (description: string) =>
  Type.Optional(integer({ least: 0, most: 253_402_300_799_999 }, description));

export const CostQuery = closed({
  ...projectMember,
  function: Type.Optional(Type.String({ pattern: NAME_PATTERN, description: "Left out: all" })),
  since: unixMs("Unix time in ms, inclusive; left out: 30 days ago"),
  until: unixMs("Unix time in ms; left out: now"),
  comparison: Type.Optional(
    Type.String({
      maxLength: 128,
      description:
        "Id of the one whose drivers are priced; left out: the latest of the function that is done, and none for all functions",
    }),
  ),
});
export type CostQuery = Static<typeof CostQuery>;

const money = (description: string) => Type.Number({ description });
const maybe = (description: string) => nullable(Type.Number(), description);

const ListPrice = closed({
  requests: Type.Number(),
  duration: Type.Number(),
  storage: Type.Number({ description: "Of `/tmp` beyond what is free" }),
  total: Type.Number(),
});
const byArchitecture = closed({ x86_64: ListPrice, arm64: ListPrice });

export const FunctionCostView = closed(
  {
    function: Type.String(),
    driver: Type.String(),
    calls: Type.Integer({ description: "That reached a sandbox" }),
    gbSeconds: Type.Number({ description: "Memory that was reserved for them, for how long" }),
    memoryCost: money("Of that memory"),
    cpuSeconds: maybe("Calls by the CPU of one; null: no comparison has measured that"),
    cpuCost: maybe("Of that CPU"),
    cost: money("The higher of the two"),
    comparison: nullable(Type.String(), "Id of the one that measured the CPU"),
    listPrice: byArchitecture,
  },
  "FunctionCost",
);
export type FunctionCostView = Static<typeof FunctionCostView>;

export const DriverCostView = closed(
  {
    driver: Type.String(),
    cpuMicrosPerCall: maybe("Of sandbox and gateway together"),
    callsPerSecondByCpu: maybe("At most on the machine, by its CPU"),
    callsPerSecondByMemory: maybe("At most on the machine, by its memory"),
    bound: nullable(oneOf(["cpu", "memory"]), "The lower of the two"),
    perMillionCalls: maybe("Where the machine does nothing else, with its headroom kept"),
    sandboxesReserved: Type.Integer({ description: "On the machine, as the budget counts them" }),
    sandboxesMeasured: nullable(Type.Integer(), "By what one takes under load"),
    perGbSecondReserved: maybe("Of the function's memory setting"),
    perGbSecondMeasured: maybe("The same by what one takes under load"),
    listPricePerMillion: nullable(byArchitecture, "A million warm calls of the same length"),
  },
  "DriverCost",
);
export type DriverCostView = Static<typeof DriverCostView>;

export const CostView = closed(
  {
    currency: Type.String({ description: "Of all that is not a list price" }),
    machine: closed({
      pricePerHour: Type.Number(),
      cores: Type.Integer(),
      memoryMiB: Type.Integer(),
      headroomPercent: Type.Integer(),
      perCpuSecond: Type.Number(),
      perGbSecond: Type.Number(),
    }),
    priceList: closed({
      provider: Type.String(),
      region: Type.String(),
      currency: Type.String(),
      date: Type.String({ description: "When it was read off" }),
      source: Type.String(),
      note: Type.String(),
    }),
    since: moment("Inclusive"),
    until: moment("Exclusive"),
    recordsKeptHours: Type.Integer({ description: "What is older is not counted" }),
    functions: Type.Array(FunctionCostView),
    total: closed({
      calls: Type.Integer(),
      cost: money("Of all calls"),
      machineCost: money("Of the machine in this time, whatever it does"),
      listPrice: byArchitecture,
    }),
    comparison: nullable(
      closed({
        id: Type.String(),
        function: Type.String(),
        revision: Type.Integer(),
        memoryMiB: Type.Integer(),
        drivers: Type.Array(DriverCostView),
      }),
      "null: there is none of the function, or all functions were asked for",
    ),
  },
  "Cost",
);
export type CostView = Static<typeof CostView>;
