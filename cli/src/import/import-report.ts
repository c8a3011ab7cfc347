import type { Finding, Findings } from "./findings.ts";
import type { PlacedFunction } from "./place-functions.ts";
import type { ImportedRoute } from "./routes.ts";
import type { ImportedSchedule } from "./schedules.ts";

export interface Taken {
  /** Name of the file. */
  source: string;
  placed: readonly PlacedFunction[];
  findings: Findings;
  /** Functions that did not come over. */
  refused: readonly string[];
}

export function importReport({ source, placed, findings, refused }: Taken) {
  const { changed, left } = findings;
  return {
    json: {
      source,
      functions: placed,
      refused,
      variables: neededVariables(placed),
      changed,
      left,
    },
    /** `written`: paths of the files. */
    text: (written: readonly string[]) =>
      [
        `${source}: ${counted(placed.length, "function")} ${written.length === 0 ? "" : `in ${written.join(", ")}`}`,
        ...placed.flatMap((fn) => [shownFunction(fn), ...shownSchedules(fn)]),
        ...section("Changed:", changed),
        ...section("Left out:", left),
        ...next(neededVariables(placed)),
      ].join("\n"),
  };
}

/** Why nothing is written. */
export function notTaken(path: string, { left }: Findings): string {
  const reasons = left.map(shownFinding);
  return [`${path} has no function that Isola can take; nothing was written`, ...reasons].join(
    "\n",
  );
}

/** Those of isola.yaml that have no default. */
function neededVariables(placed: readonly PlacedFunction[]): string[] {
  const values = placed.flatMap(({ settings }) => Object.values((settings.env ?? {}) as object));
  const found = values.flatMap((value) => [...String(value).matchAll(/(\$?)\$\{(\w+)\}/g)]);
  const names = found.filter(([, escape]) => escape === "").map(([, , name]) => name as string);
  return [...new Set(names)].sort();
}

function next(variables: readonly string[]): string[] {
  if (variables.length === 0) return ["Next: isola deploy"];
  return [`Next: ${variables.map((name) => `${name}=...`).join(" ")} isola deploy`];
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

function shownFunction({ name, settings }: PlacedFunction): string {
  const route = settings.route as ImportedRoute | undefined;
  const methods = route?.methods?.join(",");
  const where = route === undefined ? `/${name}` : `${methods ? `${methods} ` : ""}${route.path}`;
  return `  ${name}: ${where}`;
}

function shownSchedules({ settings }: PlacedFunction): string[] {
  const schedules = (settings.schedules ?? []) as ImportedSchedule[];
  return schedules.map(({ name, cron, timeZone = "UTC", enabled }) => {
    const state = enabled === false ? ", switched off" : "";
    return `    ${name}: ${cron} ${timeZone}${state}`;
  });
}

function section(title: string, findings: readonly Finding[]): string[] {
  return findings.length === 0 ? [] : [title, ...findings.map(shownFinding)];
}

function shownFinding({ place, text }: Finding): string {
  return `  ${place}: ${text}`;
}
