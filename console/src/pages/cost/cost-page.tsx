import { Anchor, Skeleton, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useScope } from "../../api/project-scope.ts";
import { ErrorState } from "../../parts/error-state.tsx";
import { PageHeader } from "../../parts/page-header.tsx";
import { CostTiles } from "./cost-tiles.tsx";
import { DriverCosts } from "./driver-costs.tsx";
import { FunctionCosts } from "./function-costs.tsx";

/** What does it cost me? */
export function CostPage() {
  const { queries } = useScope();
  const comparisons = useQuery(queries.comparisons());
  // The newest that has figures of every driver says what drivers cost.
  const measured = comparisons.data?.items.find(({ state }) => state === "done");
  const cost = useQuery({ ...queries.cost(measured?.id), enabled: !comparisons.isPending });
  return (
    <>
      <PageHeader title="Cost" text="What does it cost me, here and at a provider's list price?" />
      {cost.error !== null && cost.data === undefined && (
        <ErrorState error={cost.error} onRetry={() => void cost.refetch()} />
      )}
      {cost.data === undefined ? (
        cost.error === null && <Skeleton h={300} />
      ) : (
        <Stack>
          <CostTiles cost={cost.data} />
          <FunctionCosts cost={cost.data} />
          <DriverCosts cost={cost.data} />
          <Text size="sm" c="dimmed">
            Price list of {cost.data.priceList.provider}, {cost.data.priceList.region}, of{" "}
            {cost.data.priceList.date} (
            <Anchor href={cost.data.priceList.source} target="_blank" rel="noreferrer">
              source
            </Anchor>
            ). The price of the machine is a setting (costPricePerHour); docs/cost.md explains each
            formula.
          </Text>
        </Stack>
      )}
    </>
  );
}
