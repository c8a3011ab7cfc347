import { Skeleton, Stack } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { queries } from "../../api/queries.ts";
import { ErrorState } from "../../parts/error-state.tsx";
import { PageHeader } from "../../parts/page-header.tsx";
import { DriverCards } from "./driver-cards.tsx";
import { EventList } from "./event-list.tsx";
import { MachineTiles } from "./machine-tiles.tsx";
import { PoolTables } from "./pool-tables.tsx";

/** Is the machine healthy? */
export function SystemPage() {
  const system = useQuery(queries.system());
  const drivers = useQuery(queries.drivers());
  const gateway = system.data?.gateway ?? null;
  const error =
    (system.data === undefined ? system.error : null) ??
    (drivers.data === undefined ? drivers.error : null);
  return (
    <>
      <PageHeader title="System" text="Is the machine healthy?" />
      <Stack>
        {error !== null && <ErrorState error={error} onRetry={() => void system.refetch()} />}
        {system.data === undefined ? <Skeleton h={90} /> : <MachineTiles system={system.data} />}
        {drivers.data === undefined ? (
          <Skeleton h={200} />
        ) : (
          <DriverCards drivers={drivers.data.items} />
        )}
        {gateway !== null && <PoolTables gateway={gateway} />}
        <EventList />
      </Stack>
    </>
  );
}
