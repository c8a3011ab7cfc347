import assert from "node:assert/strict";
import { test } from "node:test";
import type { FigureView } from "@isola/api/comparisons";
import { figureText, groupFigures } from "./figures.ts";

const figure = (name: string, median: number | null): FigureView => ({
  ...{ workload: "function", name, unit: "ms", median, min: median, max: median, values: [] },
  missing: median === null ? "why" : null,
});

test("figures of drivers stand side by side, with the highest of each row", () => {
  const drivers = [
    { driver: "process", figures: [figure("warm p50", 1), figure("cold", null)] },
    { driver: "docker", figures: [figure("warm p50", 3)] },
  ];
  const [group] = groupFigures(drivers);
  assert.equal(group?.workload, "function");
  assert.deepEqual(
    group?.rows.map(({ name, most }) => [name, most]),
    [
      ["warm p50", 3],
      ["cold", 0],
    ],
  );
  assert.equal(group?.rows[0]?.cells.get("docker")?.median, 3);
});

test("a figure is told with its spread", () => {
  assert.equal(figureText({ ...figure("x", 12.345), min: 11.91, max: 14 }), "12.3 (11.9 to 14)");
  assert.equal(figureText(figure("x", 5)), "5");
  assert.equal(figureText(figure("x", null)), "not measured");
});
