/** Of a series: whatever the function, the driver, the project. */
export const ANY = "";

/** What a series of numbers is of. */
export interface SeriesLabels {
  project: string;
  functionName: string;
  functionId: string;
  /** 0: any. */
  revision: number;
  driver: string;
  /** `ANY` in series that are not of invocations. */
  outcome: string;
  /** `none`: it never reached a sandbox. `ANY` in series that are not of invocations. */
  startKind: string;
}

/** The same for the same labels. */
export function keyOf(labels: SeriesLabels): string {
  const { project, functionName, functionId, revision, driver, outcome, startKind } = labels;
  return JSON.stringify([
    ...[project, functionName, functionId, revision],
    ...[driver, outcome, startKind],
  ]);
}

/** What a group of series has in common: names of labels as the API says them. */
export const groupings = [
  "project",
  "function",
  "revision",
  "driver",
  "outcome",
  "startKind",
] as const;
export type Grouping = (typeof groupings)[number];
