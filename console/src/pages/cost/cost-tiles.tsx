import { SimpleGrid } from "@mantine/core";
import type { CostView } from "@isola/api/cost";
import { money } from "../../format/money.ts";
import { count, mebibytes } from "../../format/units.ts";
import { Tile } from "../../parts/tile.tsx";

export function CostTiles({ cost: { currency, machine, total, priceList } }: { cost: CostView }) {
  return (
    <SimpleGrid cols={{ base: 2, sm: 4 }} spacing="sm">
      <Tile label="Calls" value={count(total.calls)} note="that reached a sandbox" />
      <Tile
        label="Cost here"
        value={money(total.cost, currency)}
        note="of the machine, for these calls"
      />
      <Tile
        label={`At ${priceList.provider}`}
        value={money(total.listPrice.x86_64.total, priceList.currency)}
        note={`${money(total.listPrice.arm64.total, priceList.currency)} on arm64`}
      />
      <Tile
        label="The machine"
        value={`${money(machine.pricePerHour, currency)} an hour`}
        note={`${machine.cores} cores, ${mebibytes(machine.memoryMiB)}, ${machine.headroomPercent} % kept free`}
      />
    </SimpleGrid>
  );
}
