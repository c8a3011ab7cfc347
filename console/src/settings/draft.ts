import type { PatchFunction } from "@isola/api/functions";

/** Settings while a person changes them: what stands here is what is sent. */
export type Draft = Pick<
  PatchFunction,
  Exclude<keyof PatchFunction, "labels" | "description" | "runtime">
> &
  Pick<PatchFunction, "description" | "runtime">;

/** Members of the draft that differ from what holds; nothing else is sent. */
export function changesOf<T extends object>(held: T, draft: Draft): Draft {
  const entries = Object.entries(draft).filter(
    ([name, value]) =>
      JSON.stringify(value) !== JSON.stringify((held as Record<string, unknown>)[name]),
  );
  return Object.fromEntries(entries) as Draft;
}

/** `KEY=value` lines, as they are in `.env` files. */
export function envText(env: Record<string, string | null>): string {
  return Object.entries(env)
    .map(([name, value]) => `${name}=${value ?? ""}`)
    .join("\n");
}

/** The other way; lines that are empty or begin with # count for nothing. */
export function envOf(text: string): { env: Record<string, string> } | { problem: string } {
  const env: Record<string, string> = {};
  for (const line of text.split("\n")) {
    if (line.trim() === "" || line.trimStart().startsWith("#")) continue;
    const at = line.indexOf("=");
    const name = line.slice(0, Math.max(at, 0)).trim();
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
      return { problem: `expected NAME=value in each line, given ${line}` };
    env[name] = line.slice(at + 1);
  }
  return { env };
}

/** The event of a schedule as a person edits it; empty: the default one. */
export function eventText(event: unknown): string {
  return event === undefined ? "" : JSON.stringify(event, null, 2);
}

/** The other way: nothing for the default event. */
export function eventOf(text: string): { event?: unknown } | { problem: string } {
  if (text.trim() === "") return {};
  try {
    return { event: JSON.parse(text) as unknown };
  } catch (error) {
    return { problem: `expected JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
}
