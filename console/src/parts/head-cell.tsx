import { UnstyledButton } from "@mantine/core";
import { ArrowDown, ArrowUp } from "lucide-react";
import type { Column } from "./virtual-table.tsx";
import classes from "./virtual-table.module.css";

interface HeadCellProps<Row> {
  column: Column<Row>;
  sort: string | undefined;
  onSort: ((sort: string) => void) | undefined;
}

/** The name of a column; a press sorts by it, the next one the other way round. */
export function HeadCell<Row>({ column, sort, onSort }: HeadCellProps<Row>) {
  const { header, isWideOnly, isNumber } = column;
  const isUp = sort !== undefined && sort === column.sort;
  const isDown = sort !== undefined && sort === `-${column.sort}`;
  const order = isUp ? "ascending" : isDown ? "descending" : undefined;
  return (
    <div
      role="columnheader"
      className={classes.cell}
      data-wide={isWideOnly || undefined}
      data-number={isNumber || undefined}
      aria-sort={order}
    >
      {column.sort === undefined || onSort === undefined ? (
        header
      ) : (
        <UnstyledButton
          className={classes.sort}
          onClick={() => onSort(isUp ? `-${column.sort}` : (column.sort as string))}
        >
          {header}
          {isUp && <ArrowUp size={14} aria-hidden />}
          {isDown && <ArrowDown size={14} aria-hidden />}
        </UnstyledButton>
      )}
    </div>
  );
}
