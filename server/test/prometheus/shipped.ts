import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

export const shippedDir = join(import.meta.dirname, "../../../ops/prometheus");

export function shipped(name: string): string {
  return readFileSync(join(shippedDir, name), "utf8");
}

/** Of the dashboard, as Grafana would ask them for all of everything, by the title of their panel. */
export function dashboardExpressions(): [string, string][] {
  const { panels } = JSON.parse(shipped("grafana-dashboard.json")) as {
    panels: { title: string; targets?: { expr: string }[] }[];
  };
  return panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }): [string, string] => [title, asAsked(expr)]),
  );
}

/** What the variables of the dashboard are looked up in: `label_values(series, label)`. */
export function dashboardVariables(): { series: string; label: string }[] {
  const { templating } = JSON.parse(shipped("grafana-dashboard.json")) as {
    templating: { list: { type: string; query: { query: string } }[] };
  };
  return templating.list
    .filter(({ type }) => type === "query")
    .map(({ query }) => {
      const [, series, label] = /^label_values\((.+), (\w+)\)$/.exec(query.query) ?? [];
      return { series: asAsked(series as string), label: label as string };
    });
}

export function alerts(): { alert: string; expr: string }[] {
  return parse(shipped("isola.rules.yml")).groups.flatMap(
    ({ rules }: { rules: unknown[] }) => rules,
  );
}

/** Names of series, those of Isola. */
export function seriesNamesIn(expression: string): string[] {
  return expression.match(/\bisola_\w+/g) ?? [];
}

function asAsked(expr: string): string {
  return expr.replaceAll("$__rate_interval", "1m").replaceAll(/\$[a-z]\w*/g, ".*");
}
