import { Box, Stack, Table, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";
import classes from "./fact-table.module.css";

export interface FactColumn<Row> {
  head: ReactNode;
  /** Where `head` is no text. */
  key?: string;
  cell(row: Row): ReactNode;
  /** Set to the right, so that digits stand below each other. */
  isNumber?: boolean;
  /** Left out: as its cells need. At most two fifths of a narrow screen. */
  widthPx?: number;
  /** Sentences, which may be broken anywhere. */
  isProse?: boolean;
  /** Names its row. */
  isRowHead?: boolean;
}

export interface FactTableProps<Row> {
  title: string;
  columns: readonly FactColumn<Row>[];
  rows: readonly Row[];
  keyOf(row: Row): string;
  /** Where there are no rows: what that means, and what to do. */
  empty: ReactNode;
  /** Narrower places scroll it. */
  minWidthPx?: number;
  /** Longer ones scroll. */
  maxHeightPx?: number;
  /** The title stands elsewhere, and this only names the table. */
  isTitleHidden?: boolean;
}

/** Facts in rows below one heading: short enough to be there as a whole. */
export function FactTable<Row>(props: FactTableProps<Row>) {
  const { title, rows, empty, isTitleHidden = false } = props;
  return (
    <Stack gap="xs">
      {!isTitleHidden && <Title order={2}>{title}</Title>}
      {rows.length === 0 ? (
        <Text c="dimmed" size="sm">
          {empty}
        </Text>
      ) : (
        <Facts {...props} />
      )}
    </Stack>
  );
}

function Facts<Row>({ title, columns, rows, keyOf, ...sizes }: FactTableProps<Row>) {
  const { minWidthPx = 480, maxHeightPx } = sizes;
  const keyOfColumn = ({ key, head }: FactColumn<Row>) =>
    key ?? (typeof head === "string" ? head : "");
  return (
    <Box
      className={classes.frame}
      role="region"
      aria-label={title}
      tabIndex={0}
      {...(maxHeightPx !== undefined && { mah: maxHeightPx })}
    >
      <Table
        miw={minWidthPx}
        stickyHeader={maxHeightPx !== undefined}
        aria-label={title}
        className={classes.table}
        verticalSpacing={7}
      >
        <Table.Thead>
          <Table.Tr>
            {columns.map((column) => (
              <Table.Th
                key={keyOfColumn(column)}
                data-number={column.isNumber || undefined}
                w={column.widthPx && `min(${column.widthPx}px, 38vw)`}
              >
                {column.head}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map((row) => (
            <Table.Tr key={keyOf(row)}>
              {columns.map((column) => {
                const Cell = column.isRowHead === true ? Table.Th : Table.Td;
                return (
                  <Cell
                    key={keyOfColumn(column)}
                    data-number={column.isNumber || undefined}
                    data-prose={column.isProse || undefined}
                    {...(column.isRowHead === true && { scope: "row" })}
                  >
                    {column.cell(row)}
                  </Cell>
                );
              })}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Box>
  );
}
