import { memo } from "react";
import classes from "./sparkline.module.css";
import { barsOf } from "./spark-bars.ts";

export interface SparklineProps {
  /** One for each step; null is no data. */
  values: readonly (number | null)[];
  /** The part of each that is bad. */
  bad: readonly (number | null)[];
  /** The same in words. */
  label: string;
}

const WIDTH = 120;
const HEIGHT = 24;

/** Bars without axes, for a row of a table: how it went, not how much. */
export const Sparkline = memo(function Sparkline({ values, bad, label }: SparklineProps) {
  const size = { width: WIDTH, height: HEIGHT };
  const most = Math.max(0, ...values.map((value) => value ?? 0));
  return (
    <svg
      className={classes.line}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      <title>{label}</title>
      <path className={classes.ground} d={`M0 ${HEIGHT - 0.5}H${WIDTH}`} />
      <path className={classes.good} d={barsOf(values, most, size)} />
      <path className={classes.bad} d={barsOf(bad, most, size)} />
    </svg>
  );
});
