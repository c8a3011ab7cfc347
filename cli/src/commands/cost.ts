import type { CostView, DriverCostView, FunctionCostView } from "@isola/api/cost";
import { textOption } from "../arguments.ts";
import type { Command } from "../command.ts";
import { MOMENT, momentOption } from "../moment.ts";
import { table } from "../printable.ts";

export const costCommand: Command = {
  isOfProject: true,
  usage: "cost",
  summary: "What the calls of functions cost on this machine, and at a provider by its price list",
  details: [
    "With `--function` and `--comparison` also what each driver would. More: [cost.md](cost.md).",
  ],
  json: "what the API answers",
  options: [
    {
      flags: "--function <name>",
      help: "only of this function, and of each driver by a comparison",
      completes: "function",
    },
    { flags: "--since <moment>", help: `calls from then on: ${MOMENT} (default 30d)` },
    { flags: "--comparison <id>", help: "the one whose drivers are priced; left out: the latest" },
  ],
  async run({ client, signal }, _args, options) {
    const name = textOption(options, "function");
    const comparison = textOption(options, "comparison");
    const since = momentOption(options, "since");
    const query = {
      ...(name !== undefined && { function: name }),
      ...(since !== undefined && { since }),
      ...(comparison !== undefined && { comparison }),
    };
    const view = await client.getCost(query, { signal });
    return { json: view, text: textOf(view) };
  },
};

function textOf(view: CostView): string {
  const { machine, priceList: list, total, currency } = view;
  const parts = [
    `${view.since} to ${view.until}; records are kept ${view.recordsKeptHours} h`,
    `machine: ${machine.pricePerHour} ${currency} an hour, ${machine.cores} cores, ${machine.memoryMiB} MiB, ${machine.headroomPercent} % kept free; all of it in this time: ${money(total.machineCost)} ${currency}`,
    `list: ${list.provider}, ${list.region}, of ${list.date}, in ${list.currency}, without free tier (${list.source})`,
  ];
  const functions = view.functions.length === 0 ? "No calls." : functionTable(view);
  parts.push("", functions);
  if (view.comparison !== null) parts.push("", driverTable(view.comparison, view));
  return parts.join("\n");
}

function functionTable({ functions, total, currency, priceList: list }: CostView): string {
  const rows = functions.map((one) => [
    ...[one.function, one.driver, String(one.calls), one.gbSeconds.toFixed(1)],
    ...[one.cpuSeconds === null ? "-" : one.cpuSeconds.toFixed(1), money(one.cost)],
    ...pricesOf(one.listPrice),
  ]);
  const sum = ["total", "", String(total.calls), "", "", money(total.cost)];
  return table(
    ["function", "driver", "calls", "GB-s", "CPU s", `cost ${currency}`, ...listHead(list)],
    [...rows, [...sum, ...pricesOf(total.listPrice)]],
  );
}

function driverTable(
  { id, function: name, drivers }: NonNullable<CostView["comparison"]>,
  { currency, priceList: list }: CostView,
): string {
  const rows = drivers.map((one: DriverCostView) => [
    one.driver,
    money(one.perMillionCalls),
    one.bound ?? "-",
    count(one.cpuMicrosPerCall),
    `${one.sandboxesReserved} / ${one.sandboxesMeasured ?? "-"}`,
    `${money(one.perGbSecondReserved)} / ${money(one.perGbSecondMeasured)}`,
    ...(one.listPricePerMillion === null ? ["-", "-"] : pricesOf(one.listPricePerMillion)),
  ]);
  const head = table(
    [
      ...["driver", `${currency} per million calls`, "bound by", "CPU us per call"],
      ...["sandboxes reserved / measured", `${currency} per GB-s reserved / measured`],
      ...listHead(list),
    ],
    rows,
  );
  return `${name} by comparison ${id}:\n${head}`;
}

function listHead(list: CostView["priceList"]): string[] {
  return [`${list.provider} x86_64`, `${list.provider} arm64`];
}

function pricesOf(price: FunctionCostView["listPrice"]): string[] {
  return [money(price.x86_64.total), money(price.arm64.total)];
}

/** Four digits, however small it is. */
function money(amount: number | null): string {
  return amount === null ? "-" : amount === 0 ? "0" : String(Number(amount.toPrecision(4)));
}

function count(value: number | null): string {
  return value === null ? "-" : String(Math.round(value));
}
