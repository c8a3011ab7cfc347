import "uplot/dist/uPlot.min.css";
import { useComputedColorScheme } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import { useEffect, useRef, useState } from "react";
import uPlot from "uplot";
import { stacked } from "./series.ts";
import classes from "./plot.module.css";
import type { TimeChartProps } from "./time-chart.tsx";

const grounds = {
  light: { text: "#495057", grid: "#e9ecef" },
  dark: { text: "#c1c2c5", grid: "#373a40" },
};
const MIN_ZOOM_PX = 8;

/** uPlot, made anew whenever what it shows is of another shape. */
// oxlint-disable-next-line import/no-default-export -- what `lazy` takes
export default function Plot({
  title,
  data,
  kind,
  format,
  marks = [],
  onZoom,
  heightPx = 190,
}: TimeChartProps) {
  const { ref: box, width } = useElementSize();
  const place = useRef<HTMLDivElement>(null);
  const [at, setAt] = useState<number | null>(null);
  const scheme = useComputedColorScheme("light");
  const heard = useRef({ onZoom, format, marks });
  heard.current = { onZoom, format, marks };
  useEffect(() => {
    if (width === 0) return undefined;
    const { series, times } = data;
    const values = kind === "stack" ? stacked(series) : series.map((each) => [...each.values]);
    const colors = grounds[scheme];
    const axis = {
      stroke: colors.text,
      grid: { stroke: colors.grid, width: 1 },
      ticks: { show: false },
    };
    // The highest of a stack first, so that the lower ones are painted over it.
    const order = series.map((_, index) => index);
    if (kind === "stack") order.reverse();
    const plot = new uPlot(
      {
        width,
        height: heightPx,
        legend: { show: false },
        cursor: { y: false, drag: { x: true, y: false, setScale: false }, points: { show: false } },
        scales: { y: { range: (_self, _least, most) => [0, most > 0 ? most * 1.08 : 1] } },
        axes: [
          { ...axis },
          {
            ...axis,
            size: 68,
            values: (_self, ticks) => ticks.map((tick) => heard.current.format(tick)),
          },
        ],
        series: [
          {},
          ...order.map((index) => {
            const { color, isPrevious } = series[index] as (typeof series)[number];
            return {
              stroke: color,
              width: isPrevious ? 1 : 1.5,
              spanGaps: false,
              ...(isPrevious && { dash: [4, 4] }),
              ...(kind === "stack" && { fill: color }),
              points: { show: true, size: 5, filter: alone },
            };
          }),
        ],
        hooks: {
          setCursor: [(self) => setAt(self.cursor.idx ?? null)],
          setSelect: [
            (self) => {
              if (self.select.width < MIN_ZOOM_PX) return;
              const from = self.posToVal(self.select.left, "x") * 1000;
              const to = self.posToVal(self.select.left + self.select.width, "x") * 1000;
              heard.current.onZoom?.(from, to);
              self.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
            },
          ],
          draw: [(self) => drawMarks(self, heard.current.marks, colors.text)],
        },
      },
      [
        times.map((time) => time / 1000),
        ...order.map((index) => values[index] as (number | null)[]),
      ],
      place.current as HTMLDivElement,
    );
    return () => plot.destroy();
  }, [data, kind, scheme, width, heightPx]);
  return (
    <div ref={box}>
      <div
        ref={place}
        role="img"
        aria-label={`${title}: a picture; the same as a table by the button beside the title`}
      />
      <Legend data={data} at={at} format={format} />
    </div>
  );
}

function Legend({
  data: { times, series },
  at,
  format,
}: Pick<TimeChartProps, "data" | "format"> & { at: number | null }) {
  return (
    <div className={classes.legend}>
      <span className={classes.time}>
        {at === null ? "" : new Date(times[at] as number).toLocaleString()}
      </span>
      {series.map(({ name, color, values }) => {
        const value = at === null ? undefined : values[at];
        return (
          <span key={name} className={classes.entry}>
            <span className={classes.key} style={{ background: color }} aria-hidden />
            {name}
            {at !== null && (
              <b>{value === null || value === undefined ? "no data" : format(value)}</b>
            )}
          </span>
        );
      })}
    </div>
  );
}

/** Places of values without a neighbour: a line would not show them. */
function alone(plot: uPlot, at: number): number[] {
  const values = plot.data[at] as (number | null | undefined)[];
  const isNone = (value: number | null | undefined) => value === null || value === undefined;
  return values.flatMap((value, place) =>
    !isNone(value) && isNone(values[place - 1]) && isNone(values[place + 1]) ? [place] : [],
  );
}

function drawMarks(plot: uPlot, marks: NonNullable<TimeChartProps["marks"]>, color: string): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.strokeStyle = color;
  ctx.setLineDash([3, 3]);
  for (const { at } of marks) {
    const left = plot.valToPos(at / 1000, "x", true);
    if (left < bbox.left || left > bbox.left + bbox.width) continue;
    ctx.beginPath();
    ctx.moveTo(left, bbox.top);
    ctx.lineTo(left, bbox.top + bbox.height);
    ctx.stroke();
  }
  ctx.restore();
}
