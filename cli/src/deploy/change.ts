import type { FileMark } from "./package-digest.ts";
import { shownSchedules } from "./schedule-changes.ts";

/** One difference between what is wanted and what is live. */
export interface Change {
  /** A setting, `env.NAME`, or `code`. */
  what: string;
  from: unknown;
  to: unknown;
  /** Of `code`: file by file. */
  files?: FileChange[];
}

export interface FileChange {
  path: string;
  /** Bytes; null: it is not there. */
  from: number | null;
  to: number | null;
}

const FILES_SHOWN_MAX = 20;

/** Values of env may be secrets: what is told of one is its length, and whether it is another. */
export function masked(change: Change, showValues: boolean): Change {
  if (showValues || !change.what.startsWith("env.")) return change;
  const hidden = (value: unknown) => {
    if (typeof value !== "string") return null;
    return `<${value.length} characters>`;
  };
  const isSameLength = hidden(change.from) === hidden(change.to);
  const to = isSameLength ? `${hidden(change.to)}, others` : hidden(change.to);
  return { ...change, from: hidden(change.from), to };
}

export function shownChange(change: Change, isCreate: boolean): string[] {
  const { what, from, to, files = [] } = change;
  const schedules = what === "schedules" ? shownSchedules(from ?? [], to) : null;
  if (schedules !== null) return schedules;
  const isNew = isCreate || from === undefined || (what.startsWith("env.") && from === null);
  const line = isNew
    ? `  + ${what}: ${shown(to)}`
    : what.startsWith("env.") && to === null
      ? `  - ${what}: ${shown(from)}`
      : `  ~ ${what}: ${shown(from)} -> ${shown(to)}`;
  const rest = files.length - FILES_SHOWN_MAX;
  return [
    line,
    ...(isCreate ? [] : files.slice(0, FILES_SHOWN_MAX).map(shownFile)),
    ...(rest > 0 && !isCreate ? [`      and ${rest} more files`] : []),
  ];
}

function shownFile({ path, from, to }: FileChange): string {
  if (from === null) return `      + ${path} (${to} bytes)`;
  if (to === null) return `      - ${path} (${from} bytes)`;
  return `      ~ ${path} (${from} -> ${to} bytes)`;
}

function shown(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** What makes one list of files the other; a change of the executable bit counts. */
export function fileChanges(from: readonly FileMark[], to: readonly FileMark[]): FileChange[] {
  const before = new Map(from.map((file) => [file.path, file]));
  const after = new Map(to.map((file) => [file.path, file]));
  const paths = [...new Set([...before.keys(), ...after.keys()])].sort();
  return paths
    .filter((path) => keyOf(before.get(path)) !== keyOf(after.get(path)))
    .map((path) => ({
      path,
      from: before.get(path)?.bytes ?? null,
      to: after.get(path)?.bytes ?? null,
    }));
}

function keyOf(file: FileMark | undefined): string {
  return file === undefined ? "" : `${file.digest} ${file.isExecutable}`;
}

/** Env name by name. A live value of null is one that this key may not see: it counts as the same. */
export function envChanges(
  from: Record<string, string | null>,
  to: Record<string, string>,
): { changes: Change[]; unseen: number } {
  const changes: Change[] = [];
  let unseen = 0;
  for (const name of [...new Set([...Object.keys(from), ...Object.keys(to)])].sort()) {
    const before = Object.hasOwn(from, name) ? from[name] : undefined;
    const after = Object.hasOwn(to, name) ? to[name] : undefined;
    if (before === null && after !== undefined) unseen += 1;
    else if (before !== after)
      changes.push({ what: `env.${name}`, from: before ?? null, to: after ?? null });
  }
  return { changes, unseen };
}
