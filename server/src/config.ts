import { readFileSync } from "node:fs";
import { totalmem } from "node:os";
import type { Logger } from "pino";
import { type ErrorDetail, IsolaError } from "./errors.ts";
import { parseSetting } from "./settings/parse.ts";
import {
  type SettingName,
  type SettingValues,
  envNameOf,
  expectedOf,
  flagNameOf,
  settingNames,
  settingSpecs,
  shownDefault,
} from "./settings/schema.ts";
import type { SettingSpec } from "./settings/setting-spec.ts";
import {
  type Given,
  readEnv,
  readFlags,
  readSettingsFile,
  readStandards,
} from "./settings/sources.ts";

/** The settings of one server, checked and frozen. */
export type Config = SettingValues;

export interface ConfigSources {
  /** Arguments after the name of the program. */
  argv: readonly string[];
  env: NodeJS.ProcessEnv;
  /** Relative paths of flags and variables are taken from here. */
  cwd: string;
  /** Memory that this machine or container has, in bytes. */
  memoryBytes?: number;
}

const MiB = 1_048_576;

/**
 * Flags, over `ISOLA_*` variables, over the settings file (`--config`, `ISOLA_CONFIG`), over variables of standards (`OTEL_*`), over defaults. Everything that is wrong is reported in one
 * `invalid_settings`, one detail each.
 */
export function loadConfig(sources: ConfigSources): Config {
  const flags = readFlags(sources.argv, sources.cwd);
  const env = readEnv(sources.env, sources.cwd);
  const path = flags.config ?? sources.env.ISOLA_CONFIG;
  const file =
    path === undefined ? { given: [], problems: [] } : readSettingsFile(path, sources.cwd);
  const problems = [...flags.problems, ...env.problems, ...file.problems];
  const values = defaultValues(sources);
  const standard = readStandards(sources.env, sources.cwd);
  for (const given of [...standard, ...file.given, ...env.given, ...flags.given])
    apply(given, values, problems);
  if (problems.length > 0) throw invalidSettings(problems);
  values.publicUrl ??= urlOf(values.gatewayHost as string, values.gatewayPort as number);
  return Object.freeze(values) as unknown as Config;
}

/** The same settings once the listeners are open: with the ports they got, and a `publicUrl` that follows unless it was given. */
export function withPorts(
  config: Config,
  ports: { gatewayPort?: number; controlPort?: number },
): Config {
  const isPublicUrlDerived = config.publicUrl === urlOf(config.gatewayHost, config.gatewayPort);
  const changed = { ...config, ...ports };
  if (isPublicUrlDerived) changed.publicUrl = urlOf(changed.gatewayHost, changed.gatewayPort);
  return Object.freeze(changed);
}

/** `http://host:port` as a caller on this machine would write it. */
export function urlOf(host: string, port: number): string {
  const reachable = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  return `http://${reachable.includes(":") ? `[${reachable}]` : reachable}:${port}`;
}

/** Of Isola itself. */
export function serverVersion(): string {
  const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

/** One row of `isola up --help` and of docs/settings.md. */
export interface SettingDescription {
  name: SettingName;
  flag: string;
  variable: string;
  expected: string;
  default: string;
  help: string;
}

export function describeSettings(): SettingDescription[] {
  return settingNames.map((name) => {
    const spec: SettingSpec = settingSpecs[name];
    return {
      name,
      flag: flagNameOf(name),
      variable: envNameOf(name),
      expected: expectedOf(spec),
      default: shownDefault(spec),
      help: spec.help,
    };
  });
}

function defaultValues(sources: ConfigSources): Record<string, unknown> {
  const memoryBytes = sources.memoryBytes ?? availableMemoryBytes();
  const values: Record<string, unknown> = {};
  for (const name of settingNames) {
    const spec: SettingSpec = settingSpecs[name];
    values[name] = spec.default;
    if (spec.kind === "path" && spec.default !== null) {
      values[name] = (parseSetting(spec, spec.default, sources.cwd) as { value: string }).value;
    }
    if (spec.default === "70% of memory") {
      values[name] = Math.max(128, Math.floor((memoryBytes * 0.7) / MiB));
    }
  }
  // As `docker` itself takes it; whether it is one that is understood is told where it is used.
  if (sources.env.DOCKER_HOST) values.dockerHost = sources.env.DOCKER_HOST;
  return values;
}

function apply(given: Given, values: Record<string, unknown>, problems: ErrorDetail[]): void {
  const spec: SettingSpec = settingSpecs[given.name];
  const parsed = parseSetting(spec, given.value, given.baseDir);
  if ("value" in parsed) {
    values[given.name] = parsed.value;
    return;
  }
  const value = spec.kind === "headers" ? "what is not shown, as it is secret" : shown(given.value);
  problems.push({ path: given.source, expected: expectedOf(spec), given: value });
}

function shown(value: unknown): string {
  if (value === "") return "nothing";
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? String(value));
  return text.length > 80 ? `${text.slice(0, 80)}...` : text;
}

function invalidSettings(details: ErrorDetail[]): IsolaError {
  const lines = details.map(
    ({ path, expected, given }) => `  ${path}: expected ${expected}, given ${given}`,
  );
  const many = details.length === 1 ? "1 setting is" : `${details.length} settings are`;
  return new IsolaError("invalid_settings", `${many} wrong:\n${lines.join("\n")}`, { details });
}

/** What the container allows where it sets a bound, else what the machine has. */
function availableMemoryBytes(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}

export type RoleName = "gateway" | "control";

/** What one process of the server is told beside the settings. */
export interface Boot {
  /** This data folder, for ever. */
  nodeId: string;
  /** This life of this process: a role that is started again has another. */
  bootId: string;
  /** How the life before this one ended; null: it is the first since the server was started. */
  lastExit: { code: number | null; signal: string | null } | null;
  log: Logger;
  /** `<data>/run`, mode 0700: sockets and files that mean nothing after the end of this life. */
  runDir: string;
  /** Where the gateway listens for the control plane; short enough for a unix socket. */
  gatewaySocketPath: string;
}

/** A running part of the server. `drain` comes at most once and before `close`; `close` may come without it. */
export interface Role {
  address: { host: string; port: number };
  /** Takes nothing new; resolves when what runs has ended, or at `drainTimeoutMs`. */
  drain(): Promise<void>;
  /** Ends everything and frees every resource. */
  close(): Promise<void>;
}

/** Rejects with an `IsolaError` where the operator can mend it, and then nothing is left open. */
export type StartRole = (config: Config, boot: Boot) => Promise<Role>;
