import { Box, Center, Loader, UnstyledButton } from "@mantine/core";
import { useVirtualizer } from "@tanstack/react-virtual";
import { ArrowDown, ArrowUp } from "lucide-react";
import { type ReactNode, useEffect, useRef } from "react";
import classes from "./virtual-table.module.css";

export interface Column<Row> {
  id: string;
  header: string;
  /** Of a CSS grid: `2fr`, `120px`. */
  width: string;
  cell(row: Row): ReactNode;
  /** Name of the order that a press on the header asks for; left out: none. */
  sort?: string;
  /** Left out on narrow screens. */
  isWideOnly?: boolean;
  isNumber?: boolean;
}

export interface VirtualTableProps<Row> {
  label: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  keyOf(row: Row): string;
  rowHeightPx?: number;
  /** In force: `name`, or `-name` for the other way round. */
  sort?: string;
  onSort?(sort: string): void;
  /** There is more, and the end of what is here is near. */
  onEndNear?(): void;
  hasMore?: boolean;
}

const ROW_HEIGHT_PX = 44;
const OVERSCAN = 12;

/** A table of any length: rows exist while they are seen. */
export function VirtualTable<Row>(props: VirtualTableProps<Row>) {
  const { label, columns, rows, keyOf, hasMore = false, onEndNear } = props;
  const height = props.rowHeightPx ?? ROW_HEIGHT_PX;
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => height,
    overscan: OVERSCAN,
  });
  const seen = virtual.getVirtualItems();
  const lastSeen = seen.at(-1)?.index ?? 0;
  useEffect(() => {
    if (hasMore && lastSeen >= rows.length - OVERSCAN * 2) onEndNear?.();
  }, [hasMore, lastSeen, rows.length, onEndNear]);
  const wide = columns.map(({ width }) => width).join(" ");
  const narrow = columns
    .filter(({ isWideOnly }) => isWideOnly !== true)
    .map(({ width }) => width)
    .join(" ");
  return (
    <Box
      ref={scroller}
      className={classes.scroller}
      role="table"
      aria-label={label}
      aria-rowcount={hasMore ? -1 : rows.length + 1}
      tabIndex={0}
      __vars={{ "--columns-wide": wide, "--columns-narrow": narrow }}
    >
      <div role="rowgroup" className={classes.head}>
        <div role="row" aria-rowindex={1} className={classes.row}>
          {columns.map((column) => (
            <Header key={column.id} column={column} sort={props.sort} onSort={props.onSort} />
          ))}
        </div>
      </div>
      <div role="rowgroup" className={classes.body} style={{ height: virtual.getTotalSize() }}>
        {seen.map(({ index, start }) => {
          const row = rows[index] as Row;
          return (
            <div
              key={keyOf(row)}
              role="row"
              aria-rowindex={index + 2}
              className={classes.row}
              style={{ height, transform: `translateY(${start}px)` }}
              data-placed
            >
              {columns.map((column) => (
                <div
                  key={column.id}
                  role="cell"
                  className={classes.cell}
                  data-wide={column.isWideOnly || undefined}
                  data-number={column.isNumber || undefined}
                >
                  {column.cell(row)}
                </div>
              ))}
            </div>
          );
        })}
      </div>
      {hasMore && (
        <Center p="xs">
          <Loader size="sm" aria-label="Loading more" />
        </Center>
      )}
    </Box>
  );
}

interface HeaderProps<Row> {
  column: Column<Row>;
  sort: string | undefined;
  onSort: ((sort: string) => void) | undefined;
}

function Header<Row>({ column, sort, onSort }: HeaderProps<Row>) {
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
