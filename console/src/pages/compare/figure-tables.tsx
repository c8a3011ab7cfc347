import { Stack, Table, Text, Title } from "@mantine/core";
import type { ComparisonView, FigureView } from "@isola/api/comparisons";
import { driverColors } from "../../format/outcomes.ts";
import classes from "./figure-tables.module.css";
import { figureText, groupFigures } from "./figures.ts";

type DriverResult = ComparisonView["drivers"][number];

const workloadTitles: Record<string, string> = {
  function: "The function",
  syscall: "System calls",
  cpu: "CPU",
  memory: "Memory",
  io: "Files",
};

/** One table for each kind of work: a row for each figure, a column for each driver, with bars. */
export function FigureTables({ drivers }: { drivers: readonly DriverResult[] }) {
  const measured = drivers.filter(({ figures }) => figures.length > 0);
  if (measured.length === 0) return <Text c="dimmed">There are no figures yet.</Text>;
  const workloads = groupFigures(measured);
  return (
    <>
      {workloads.map(({ workload, rows }) => (
        <Stack key={workload} gap="xs">
          <Title order={2}>{workloadTitles[workload] ?? workload}</Title>
          <Table.ScrollContainer minWidth={480}>
            <Table withTableBorder>
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>Figure</Table.Th>
                  {measured.map(({ driver, tier }) => (
                    <Table.Th key={driver}>
                      {driver}{" "}
                      <Text span size="xs" c="dimmed">
                        {tier}
                      </Text>
                    </Table.Th>
                  ))}
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {rows.map(({ name, unit, cells, most }) => (
                  <Table.Tr key={name}>
                    <Table.Th scope="row">
                      {name}{" "}
                      <Text span size="xs" c="dimmed">
                        {unit}
                      </Text>
                    </Table.Th>
                    {measured.map(({ driver }) => (
                      <Table.Td key={driver}>
                        <Figure
                          figure={cells.get(driver)}
                          most={most}
                          color={driverColors[driver] ?? "#868e96"}
                        />
                      </Table.Td>
                    ))}
                  </Table.Tr>
                ))}
                {workload === "function" && <DensityRow drivers={measured} />}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
        </Stack>
      ))}
    </>
  );
}

function Figure({
  figure,
  most,
  color,
}: {
  figure: FigureView | undefined;
  most: number;
  color: string;
}) {
  if (figure === undefined || figure.median === null)
    return (
      <Text size="xs" c="dimmed" title={figure?.missing ?? ""}>
        {figure?.missing ?? "not measured"}
      </Text>
    );
  const width = most === 0 ? 0 : (figure.median / most) * 100;
  return (
    <>
      {figureText(figure)}
      <div className={classes.track} aria-hidden>
        <div className={classes.bar} style={{ width: `${width}%`, background: color }} />
      </div>
    </>
  );
}

function DensityRow({ drivers }: { drivers: readonly DriverResult[] }) {
  return (
    <Table.Tr>
      <Table.Th scope="row">
        sandboxes that fit{" "}
        <Text span size="xs" c="dimmed">
          by the budget, by an idle one's memory
        </Text>
      </Table.Th>
      {drivers.map(({ driver, density }) => (
        <Table.Td key={driver}>
          {density === null
            ? "not measured"
            : `${density.byBudget}, ${density.byIdleMemory ?? "not measured"}`}
        </Table.Td>
      ))}
    </Table.Tr>
  );
}
