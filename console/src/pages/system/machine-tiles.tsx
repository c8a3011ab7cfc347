import { Alert, SimpleGrid } from "@mantine/core";
import type { SystemView } from "@isola/api/machine";
import { count, duration, mebibytes, percent } from "../../format/units.ts";
import { Tile } from "../../parts/tile.tsx";

export function MachineTiles({ system }: { system: SystemView }) {
  const { gateway } = system;
  if (gateway === null)
    return (
      <Alert color="red" title="The gateway does not answer" role="alert">
        Functions are not served now. The supervisor starts it again; the server's log says why it
        ended.
      </Alert>
    );
  const { memoryReservedMiB: used, memoryBudgetMiB: budget } = gateway;
  return (
    <SimpleGrid cols={{ base: 2, sm: 3, lg: 6 }} spacing="sm">
      <Tile label="Version" value={system.version} note={`up for ${duration(gateway.uptimeMs)}`} />
      <Tile label="Functions" value={count(gateway.functions)} note="known to the gateway" />
      <Tile label="Invocations" value={count(gateway.runningInvocations)} note="running now" />
      <Tile
        label="Memory reserved"
        value={mebibytes(used)}
        note={`${percent(budget === 0 ? 0 : used / budget)} of ${mebibytes(budget)}`}
      />
      <Tile label="Records lost" value={count(gateway.recordsLost)} note="since the start" />
      <Tile label="Late frames" value={count(gateway.lateFrames)} note="since the start" />
    </SimpleGrid>
  );
}
