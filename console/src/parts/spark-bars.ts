const GAP = 1;
/** What is there is seen, however small beside the others. */
const LEAST_HEIGHT = 1.5;

/** Bars of values as one path of SVG; where there is nothing, or nothing is known, there is none. */
export function barsOf(
  values: readonly (number | null)[],
  most: number,
  { width, height }: { width: number; height: number },
): string {
  const step = width / Math.max(1, values.length);
  const bars = values.map((value, at) => {
    if (value === null || value <= 0 || most <= 0) return "";
    const tall = Math.max(LEAST_HEIGHT, (value / most) * (height - 1));
    return `M${short(at * step)} ${height}v${short(-tall)}h${short(step - GAP)}v${short(tall)}z`;
  });
  return bars.join("");
}

function short(value: number): string {
  return String(Number(value.toFixed(2)));
}
