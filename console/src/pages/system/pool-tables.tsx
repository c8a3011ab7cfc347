import type { SystemView } from "@isola/api/machine";
import { count } from "../../format/units.ts";
import { DriverName } from "../../parts/driver-name.tsx";
import { FactTable } from "../../parts/fact-table.tsx";

type Gateway = NonNullable<SystemView["gateway"]>;

/** Sandboxes by pool, and the blank ones. */
export function PoolTables({ gateway: { pools, blankPools } }: { gateway: Gateway }) {
  return (
    <>
      <FactTable
        title="Pools"
        rows={pools}
        keyOf={({ project, functionName, revision }) => `${project} ${functionName} ${revision}`}
        empty="No sandbox runs: functions are at zero until they are called."
        columns={[
          { head: "Function", cell: ({ functionName }) => functionName },
          { head: "Project", cell: ({ project }) => project },
          { head: "Driver", cell: ({ driver }) => <DriverName name={driver} /> },
          { head: "Sandboxes", cell: ({ sandboxes }) => statesOf(sandboxes) },
          { head: "Revision", isNumber: true, cell: ({ revision }) => revision },
          { head: "Running", isNumber: true, cell: ({ running }) => count(running) },
          { head: "Queued", isNumber: true, cell: ({ queued }) => count(queued) },
        ]}
      />
      <FactTable
        title="Blank sandboxes"
        rows={blankPools}
        keyOf={({ runtime, driver }) => `${runtime} ${driver}`}
        empty="None are kept now."
        columns={[
          { head: "Runtime", cell: ({ runtime }) => runtime },
          { head: "Driver", cell: ({ driver }) => <DriverName name={driver} /> },
          { head: "Ready", isNumber: true, cell: ({ ready }) => count(ready) },
          { head: "Starting", isNumber: true, cell: ({ starting }) => count(starting) },
          { head: "Target", isNumber: true, cell: ({ target }) => count(target) },
        ]}
      />
    </>
  );
}

function statesOf(sandboxes: Record<string, number>): string {
  const some = Object.entries(sandboxes).filter(([, each]) => each > 0);
  return some.map(([state, each]) => `${each} ${state}`).join(", ") || "none";
}
