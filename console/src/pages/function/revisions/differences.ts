import type { RevisionView } from "@isola/api/functions";

export interface ChangedSetting {
  name: string;
  /** In words. */
  from: string;
  to: string;
}

export interface ChangedFile {
  path: string;
  /** Empty where it is new. */
  from: string;
  /** Empty where it is gone. */
  to: string;
}

const notSettings = new Set([
  ...["revision", "isLive", "reason", "createdAt", "createdBy"],
  ...["codeDigest", "codeBytes", "layer"],
]);

export function changedSettings(before: RevisionView, after: RevisionView): ChangedSetting[] {
  const names = Object.keys(after).filter(
    (name) => !notSettings.has(name),
  ) as (keyof RevisionView)[];
  return names
    .map((name) => ({ name, from: words(before[name]), to: words(after[name]) }))
    .filter(({ from, to }) => from !== to);
}

export function changedFiles(
  before: Record<string, string>,
  after: Record<string, string>,
): ChangedFile[] {
  const paths = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...paths]
    .sort()
    .map((path) => ({ path, from: before[path] ?? "", to: after[path] ?? "" }))
    .filter(({ from, to }) => from !== to);
}

function words(value: unknown): string {
  if (value === null) return "none";
  return typeof value === "string" ? value : JSON.stringify(value);
}
