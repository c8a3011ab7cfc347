import type { Findings } from "./findings.ts";
import { OpenText, Unknown } from "./open-text.ts";

/** A value of the file with its variables and references looked up, as far as that goes here. */
export type Known = null | boolean | number | string | OpenText | Unknown | Known[] | KnownMap;
export interface KnownMap {
  [key: string]: Known;
}

export function isKnownMap(value: Known | undefined): value is KnownMap {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return !(value instanceof OpenText) && !(value instanceof Unknown);
}

/** Text as it is with every fallback; null where it is none, or not known. */
export function plainOf(value: Known | undefined): string | null {
  if (value instanceof OpenText) return value.plain();
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : null;
}

/** For messages. */
export function shownValue(value: Known | undefined): string {
  if (value instanceof Unknown) return shortened(value.expression);
  if (value instanceof OpenText) return shortened(value.plain() ?? "a variable without a default");
  return shortened(typeof value === "string" ? value : (JSON.stringify(value) ?? "nothing"));
}

function shortened(text: string): string {
  return text.length > 120 ? `${text.slice(0, 120)}...` : text;
}

/** Whether `true`; `missing` where nothing was given, or what is not known here, which is told. */
export function flagOf(
  value: Known | undefined,
  place: string,
  { missing, findings }: { missing: boolean; findings: Findings },
): boolean {
  if (value === undefined || value === null) return missing;
  const text = plainOf(value)?.trim().toLowerCase();
  if (text === "true" || text === "false") return text === "true";
  findings.leave(place, `${shownValue(value)} is not known here: ${missing} is taken`);
  return missing;
}

/** A whole number; `missing` where there is none, which is told unless nothing was given. */
export function numberOf<T extends number | null>(
  value: Known | undefined,
  place: string,
  { missing, findings }: { missing: T; findings: Findings },
): number | T {
  if (value === undefined || value === null) return missing;
  const text = plainOf(value);
  const number = text !== null && /^\d{1,9}$/.test(text.trim()) ? Number(text) : null;
  if (number === null) {
    const instead = missing === null ? "left out" : `${missing} is taken`;
    findings.leave(place, `${shownValue(value)} is no number that is known here: ${instead}`);
    return missing;
  }
  if (value instanceof OpenText) findings.change(place, `is ${number}, as without the variable`);
  return number;
}

/** Variables of the environment. What is only known at the provider becomes a variable of isola.yaml with the same name. */
export function envOf(
  value: Known | undefined,
  place: string,
  findings: Findings,
): Record<string, string | OpenText> {
  if (value === undefined || value === null) return {};
  if (!isKnownMap(value)) {
    findings.leave(place, `${shownValue(value)} is no mapping that is known here`);
    return {};
  }
  const env: Record<string, string | OpenText> = {};
  for (const [name, one] of Object.entries(value)) {
    if (one === null) continue;
    if (one instanceof OpenText) {
      env[name] = one;
      continue;
    }
    const text = plainOf(one);
    if (text !== null) {
      env[name] = text;
      continue;
    }
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      findings.leave(`${place}.${name}`, `${shownValue(one)} is not known here`);
      continue;
    }
    env[name] = new OpenText([{ name, fallback: null }]);
    findings.change(`${place}.${name}`, `is ${shownValue(one)} there: set ${name} when you deploy`);
  }
  return env;
}
