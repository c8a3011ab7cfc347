import type { CostView } from "@isola/api/cost";
import { useScope } from "../../api/project-scope.ts";
import { money } from "../../format/money.ts";
import { count, digits } from "../../format/units.ts";
import { DriverName } from "../../parts/driver-name.tsx";
import { FactTable } from "../../parts/fact-table.tsx";
import { FunctionLink } from "../../parts/function-link.tsx";

/** Each function and driver, with the dearest first. */
export function FunctionCosts({ cost: { functions, currency, priceList } }: { cost: CostView }) {
  const scope = useScope();
  return (
    <FactTable
      title="Functions"
      rows={functions.toSorted((a, b) => b.cost - a.cost)}
      keyOf={(row) => `${row.function} ${row.driver}`}
      empty="No call is recorded in this time. Call a function: its cost is told from the first call on."
      minWidthPx={560}
      columns={[
        {
          head: "Function",
          cell: (row) => <FunctionLink name={row.function} project={scope.home} scope={scope} />,
        },
        { head: "Driver", cell: ({ driver }) => <DriverName name={driver} /> },
        { head: "Calls", isNumber: true, cell: ({ calls }) => count(calls) },
        { head: "GB-seconds", isNumber: true, cell: ({ gbSeconds }) => digits(gbSeconds, 4) },
        {
          head: "CPU-seconds",
          isNumber: true,
          cell: ({ cpuSeconds }) => (cpuSeconds === null ? "not measured" : digits(cpuSeconds, 3)),
        },
        { head: "Cost here", isNumber: true, cell: ({ cost }) => money(cost, currency) },
        {
          head: `At ${priceList.provider}`,
          isNumber: true,
          cell: ({ listPrice }) => money(listPrice.x86_64.total, priceList.currency),
        },
      ]}
    />
  );
}
