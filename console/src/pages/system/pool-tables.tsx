import { Stack, Table, Text, Title } from "@mantine/core";
import type { SystemView } from "@isola/api/machine";
import { count } from "../../format/units.ts";

type Gateway = NonNullable<SystemView["gateway"]>;

/** Sandboxes by pool, and the blank ones. */
export function PoolTables({ gateway: { pools, blankPools } }: { gateway: Gateway }) {
  return (
    <>
      <Stack gap="xs">
        <Title order={2}>Pools</Title>
        {pools.length === 0 ? (
          <Text c="dimmed">No sandbox runs: functions are at zero until they are called.</Text>
        ) : (
          <Rows
            heads={["Function", "Revision", "Driver", "Sandboxes", "Running", "Queued"]}
            rows={pools.map((pool) => [
              ...[pool.functionName, String(pool.revision), pool.driver],
              ...[statesOf(pool.sandboxes), count(pool.running), count(pool.queued)],
            ])}
          />
        )}
      </Stack>
      <Stack gap="xs">
        <Title order={2}>Blank sandboxes</Title>
        {blankPools.length === 0 ? (
          <Text c="dimmed">None are kept now.</Text>
        ) : (
          <Rows
            heads={["Runtime", "Driver", "Ready", "Starting", "Target"]}
            rows={blankPools.map((pool) => [
              ...[pool.runtime, pool.driver],
              ...[count(pool.ready), count(pool.starting), count(pool.target)],
            ])}
          />
        )}
      </Stack>
    </>
  );
}

function Rows({ heads, rows }: { heads: string[]; rows: string[][] }) {
  return (
    <Table.ScrollContainer minWidth={500}>
      <Table withTableBorder>
        <Table.Thead>
          <Table.Tr>
            {heads.map((head) => (
              <Table.Th key={head}>{head}</Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map((cells) => (
            <Table.Tr key={cells.slice(0, 3).join(" ")}>
              {cells.map((cell, at) => (
                <Table.Td key={heads[at]}>{cell}</Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function statesOf(sandboxes: Record<string, number>): string {
  const some = Object.entries(sandboxes).filter(([, each]) => each > 0);
  return some.map(([state, each]) => `${each} ${state}`).join(", ") || "none";
}
