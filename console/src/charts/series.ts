/** One line or one part of a stack. */
export interface Series {
  name: string;
  color: string;
  /** One for each step; null is no data, which is not zero. */
  values: readonly (number | null)[];
  /** Drawn as a thin dashed line behind the others: the time before. */
  isPrevious?: boolean;
}

export interface ChartData {
  /** Begin of each step, Unix ms, ascending. */
  times: readonly number[];
  series: readonly Series[];
}

/** Each series with those before it added, so that the areas lie on each other. What is unknown counts for nothing as long as something of its step is known. */
export function stacked(series: readonly Series[]): (number | null)[][] {
  const steps = series[0]?.values.length ?? 0;
  const sums = Array.from({ length: steps }, () => 0);
  return series.map(({ values }) =>
    values.map((value, at) => {
      const isKnown = series.some(
        (each) => each.values[at] !== null && each.values[at] !== undefined,
      );
      if (!isKnown) return null;
      sums[at] = (sums[at] as number) + (value ?? 0);
      return sums[at] as number;
    }),
  );
}

/** Those that have something to show. */
export function withoutEmpty(series: readonly Series[]): Series[] {
  return series.filter(({ values }) => values.some((value) => value !== null && value !== 0));
}

/** As a table of text for a spreadsheet: tabs between cells. */
export function asText({ times, series }: ChartData): string {
  const head = ["time", ...series.map(({ name }) => name)].join("\t");
  const rows = times.map((time, at) =>
    [new Date(time).toISOString(), ...series.map(({ values }) => values[at] ?? "")].join("\t"),
  );
  return [head, ...rows].join("\n");
}
