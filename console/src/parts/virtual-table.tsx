import { Box, Center, Loader, VisuallyHidden } from "@mantine/core";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, memo, useEffect, useRef } from "react";
import { HeadCell } from "./head-cell.tsx";
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
  /** The same from one time to the next where nothing of them changes: then rows are not made anew. */
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
  /** Indexes of the first and last row that exist, whenever they change. */
  onSeen?(first: number, last: number): void;
}

const ROW_HEIGHT_PX = 44;
const OVERSCAN = 12;
/** So that who scrolls does not come to the end before the next page does. */
const END_NEAR_ROWS = 50;

/** A table of any length: rows exist while they are seen. */
export function VirtualTable<Row>(props: VirtualTableProps<Row>) {
  const { label, columns, rows, keyOf, hasMore = false, onEndNear, onSeen } = props;
  const height = props.rowHeightPx ?? ROW_HEIGHT_PX;
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => height,
    overscan: OVERSCAN,
  });
  const seen = virtual.getVirtualItems();
  const first = seen[0]?.index ?? 0;
  const last = seen.at(-1)?.index ?? 0;
  useEffect(() => {
    if (hasMore && last >= rows.length - END_NEAR_ROWS) onEndNear?.();
  }, [hasMore, last, rows.length, onEndNear]);
  useEffect(() => onSeen?.(first, last), [first, last, onSeen]);
  const wide = columns.map(({ width }) => width).join(" ");
  const narrow = columns
    .filter(({ isWideOnly }) => isWideOnly !== true)
    .map(({ width }) => width)
    .join(" ");
  return (
    <div ref={scroller} className={classes.scroller} tabIndex={0} role="region" aria-label={label}>
      <Box
        role="table"
        aria-label={label}
        aria-rowcount={hasMore ? -1 : rows.length + 1}
        __vars={{ "--columns-wide": wide, "--columns-narrow": narrow }}
      >
        <div role="rowgroup" className={classes.head}>
          <div role="row" aria-rowindex={1} className={classes.row}>
            {columns.map((column) => (
              <HeadCell key={column.id} column={column} sort={props.sort} onSort={props.onSort} />
            ))}
          </div>
        </div>
        <div role="rowgroup" className={classes.body} style={{ height: virtual.getTotalSize() }}>
          {seen.map(({ index, start }) => {
            const row = rows[index] as Row;
            return <PlacedRow key={keyOf(row)} {...{ row, index, start, height, columns }} />;
          })}
        </div>
      </Box>
      {hasMore && (
        <Center p="xs" role="status">
          <Loader size="sm" aria-hidden />
          <VisuallyHidden>Loading more</VisuallyHidden>
        </Center>
      )}
    </div>
  );
}

interface PlacedRowProps<Row> {
  row: Row;
  index: number;
  start: number;
  height: number;
  columns: readonly Column<Row>[];
}

/** Made anew only where it or its columns change, and not with each step of scrolling. */
const PlacedRow = memo(function PlacedRow<Row>(props: PlacedRowProps<Row>) {
  const { row, index, start, height, columns } = props;
  return (
    <div
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
}) as <Row>(props: PlacedRowProps<Row>) => ReactNode;
