import { Anchor } from "@mantine/core";
import type { CostView } from "@isola/api/cost";
import { Link } from "@tanstack/react-router";
import { money } from "../../format/money.ts";
import { count } from "../../format/units.ts";
import { DriverName } from "../../parts/driver-name.tsx";
import { FactTable } from "../../parts/fact-table.tsx";

type DriverCost = NonNullable<CostView["comparison"]>["drivers"][number];

/** What a million calls would cost on each driver, by the latest comparison. */
export function DriverCosts({ cost: { comparison, currency, priceList } }: { cost: CostView }) {
  const known = (value: number | null, how: (value: number) => string) =>
    value === null ? "not measured" : how(value);
  return (
    <FactTable
      title={comparison === null ? "Drivers" : `Drivers, by a comparison of ${comparison.function}`}
      rows={comparison?.drivers ?? []}
      keyOf={({ driver }) => driver}
      empty={
        <>
          What each driver costs is known once a function has been{" "}
          <Anchor component={Link} to="/compare" inherit>
            compared
          </Anchor>
          .
        </>
      }
      minWidthPx={560}
      columns={[
        { head: "Driver", cell: ({ driver }) => <DriverName name={driver} /> },
        {
          head: "CPU per call (us)",
          isNumber: true,
          cell: ({ cpuMicrosPerCall }) =>
            known(cpuMicrosPerCall, (value) => count(Math.round(value))),
        },
        { head: "Calls a second", isNumber: true, cell: callsPerSecond },
        {
          head: "A million calls",
          isNumber: true,
          cell: ({ perMillionCalls }) => known(perMillionCalls, (value) => money(value, currency)),
        },
        {
          head: "A GB-second",
          isNumber: true,
          cell: ({ perGbSecondReserved }) =>
            known(perGbSecondReserved, (value) => money(value, currency)),
        },
        {
          head: `At ${priceList.provider}, a million`,
          isNumber: true,
          cell: ({ listPricePerMillion }) =>
            listPricePerMillion === null
              ? "not measured"
              : money(listPricePerMillion.x86_64.total, priceList.currency),
        },
      ]}
    />
  );
}

function callsPerSecond(driver: DriverCost): string {
  const { bound, callsPerSecondByMemory, callsPerSecondByCpu } = driver;
  const most = bound === "memory" ? callsPerSecondByMemory : callsPerSecondByCpu;
  if (most === null) return "not measured";
  return `${count(Math.round(most))}${bound === null ? "" : `, bound by ${bound}`}`;
}
