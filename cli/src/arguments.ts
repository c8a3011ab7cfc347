import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { type Context, type Options, usageFailure } from "./command.ts";

/** The text of an option, or undefined. */
export function textOption(options: Options, name: string): string | undefined {
  const value = options[name];
  return typeof value === "string" ? value : undefined;
}

export function listOption(options: Options, name: string): readonly string[] {
  const value = options[name];
  return Array.isArray(value) ? (value as readonly string[]) : [];
}

/** Digits only; bounds are the server's to check. */
export function integerOption(options: Options, name: string, flag: string): number | undefined {
  const text = textOption(options, name);
  if (text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(text)) throw usageFailure(`${flag} takes a whole number, given: ${text}`);
  return Number(text);
}

/** `["A=1", "B=x=y"]` -> `{A: "1", B: "x=y"}` */
export function pairsOf(texts: readonly string[], what: string): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf("=");
      if (at < 1) throw usageFailure(`${what} takes NAME=value, given: ${text}`);
      return [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}

/** The text itself, `@file` for what a file holds, `-` for stdin. */
export async function readArgument(text: string, context: Context): Promise<Buffer> {
  if (text === "-") return context.readStdin();
  if (!text.startsWith("@")) return Buffer.from(text);
  const path = resolve(context.cwd, text.slice(1));
  try {
    return readFileSync(path);
  } catch (error) {
    throw usageFailure(`${path} cannot be read: ${(error as Error).message}`);
  }
}
