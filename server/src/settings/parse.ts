import { isIPv4, isIPv6 } from "node:net";
import { resolve } from "node:path";
import { parseRegistry } from "../domain/registry.ts";
import type { SettingSpec } from "./setting-spec.ts";

export type Parsed = { value: unknown } | { problem: true };

const problem: Parsed = { problem: true };

/**
 * Reads one value. Text comes from flags and the environment; a settings file may also give numbers, booleans and lists as such.
 * Relative paths are taken from `baseDir`.
 */
export function parseSetting(spec: SettingSpec, given: unknown, baseDir: string): Parsed {
  switch (spec.kind) {
    case "integer":
      return parseInteger(given, spec.least, spec.most);
    case "decimal":
      return parseDecimal(given, spec.least, spec.most);
    case "currency":
      return typeof given === "string" && /^[A-Z]{3}$/.test(given) ? { value: given } : problem;
    case "boolean":
      if (typeof given === "boolean") return { value: given };
      return given === "true" || given === "false" ? { value: given === "true" } : problem;
    case "choice":
      return spec.choices.some((choice) => choice === given) ? { value: given } : problem;
    case "headers":
      return parseHeaders(given);
    case "name":
      return isName(given) ? { value: given } : problem;
    case "host":
      return isHost(given) ? { value: given } : problem;
    case "hosts":
      return parseList(given, isHost);
    case "addresses":
      return parseList(given, isAddress);
    case "ranges":
      return parseList(given, isRange);
    case "networks":
      return parseList(given, isNetwork);
    case "registries":
      return parseRegistries(given);
    case "path":
      if (typeof given !== "string" || given === "" || given.includes("\0")) return problem;
      return { value: resolve(baseDir, given) };
    case "url":
      return parseUrl(given);
    case "engine":
      return isEngine(given) ? { value: given } : problem;
    case "image":
      return isImage(given) ? { value: given } : problem;
    case "runtime":
      return isRuntime(given) ? { value: given } : problem;
  }
}

function parseInteger(given: unknown, least: number, most: number): Parsed {
  const text = typeof given === "number" ? String(given) : given;
  if (typeof text !== "string" || !/^(0|[1-9][0-9]{0,15})$/.test(text)) return problem;
  const value = Number(text);
  return value >= least && value <= most ? { value } : problem;
}

function parseDecimal(given: unknown, least: number, most: number): Parsed {
  const text = typeof given === "number" ? String(given) : given;
  if (typeof text !== "string" || !/^(0|[1-9][0-9]{0,9})(\.[0-9]{1,9})?$/.test(text))
    return problem;
  const value = Number(text);
  return value >= least && value <= most ? { value } : problem;
}

function isName(given: unknown): given is string {
  return typeof given === "string" && /^[^\p{Cc}]{1,255}$/u.test(given);
}

const HEADERS_MAX = 32;

/** As text in the form that OpenTelemetry gives its variable; a settings file may give a mapping. */
function parseHeaders(given: unknown): Parsed {
  const pairs = typeof given === "string" ? pairsOf(given) : mappingOf(given);
  if (pairs === null || pairs.length > HEADERS_MAX) return problem;
  const isFit = ([name, value]: [string, unknown]) =>
    /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}$/.test(name) &&
    typeof value === "string" &&
    /^[\t\x20-\x7e\x80-\xff]{0,8192}$/.test(value);
  return pairs.every(isFit) ? { value: Object.freeze(Object.fromEntries(pairs)) } : problem;
}

function pairsOf(text: string): [string, string][] | null {
  const parts = text.split(",").map((part) => part.trim());
  const given = parts.filter((part) => part !== "");
  if (!given.every((part) => part.includes("="))) return null;
  try {
    return given.map((part) => {
      const at = part.indexOf("=");
      return [part.slice(0, at).trim(), decodeURIComponent(part.slice(at + 1).trim())];
    });
  } catch {
    return null; // escapes that are none
  }
}

function mappingOf(given: unknown): [string, unknown][] | null {
  const isMapping = typeof given === "object" && given !== null && !Array.isArray(given);
  return isMapping ? Object.entries(given) : null;
}

function isHost(given: unknown): given is string {
  if (typeof given !== "string") return false;
  return isIPv6(given) || /^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/.test(given);
}

function isRuntime(given: unknown): given is string {
  return typeof given === "string" && /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(given);
}

function isAddress(given: unknown): given is string {
  return typeof given === "string" && isIPv4(given);
}

function isRange(given: unknown): given is string {
  if (typeof given !== "string") return false;
  const [address = "", bits = "32", ...more] = given.split("/");
  return isIPv4(address) && /^([12]?\d|3[0-2])$/.test(bits) && more.length === 0;
}

function isNetwork(given: unknown): given is string {
  if (typeof given !== "string") return false;
  const [address = "", bits, ...more] = given.split("/");
  const bitsMost = isIPv4(address) ? 32 : isIPv6(address) && !address.includes("%") ? 128 : -1;
  if (bitsMost === -1 || more.length > 0) return false;
  return bits === undefined || (/^(0|[1-9]\d{0,2})$/.test(bits) && Number(bits) <= bitsMost);
}

function parseList(given: unknown, isFit: (part: unknown) => part is string): Parsed {
  const list = typeof given === "string" ? given.split(",").map((part) => part.trim()) : given;
  if (!Array.isArray(list)) return problem;
  const named = given === "" ? [] : list;
  if (!named.every(isFit)) return problem;
  return { value: Object.freeze(named.map((part) => part.toLowerCase())) };
}

function parseRegistries(given: unknown): Parsed {
  const list = typeof given === "string" ? given.split(",").map((part) => part.trim()) : given;
  if (!Array.isArray(list)) return problem;
  const named = given === "" ? [] : list;
  const isRegistry = (one: unknown) => typeof one === "string" && parseRegistry(one) !== null;
  return named.every(isRegistry) ? { value: Object.freeze(named) } : problem;
}

function parseUrl(given: unknown): Parsed {
  if (typeof given !== "string" || !URL.canParse(given)) return problem;
  const url = new URL(given);
  const isPlain = !url.search && !url.hash && !url.username && !url.password;
  if (!isPlain || (url.protocol !== "http:" && url.protocol !== "https:")) return problem;
  return { value: url.href.replace(/\/+$/, "") };
}

function isEngine(given: unknown): given is string {
  if (typeof given !== "string") return false;
  return /^unix:\/\/\/[^\0]+$/.test(given) || /^(tcp|https?):\/\/[^/?#@]+\/?$/.test(given);
}

/** `registry:5000/path/name:tag`, `name@sha256:...` */
function isImage(given: unknown): given is string {
  if (typeof given !== "string" || given.length > 500) return false;
  return /^[a-z0-9][a-z0-9._:/-]*(:[A-Za-z0-9_][A-Za-z0-9_.-]*)?(@sha256:[0-9a-f]{64})?$/.test(
    given,
  );
}
