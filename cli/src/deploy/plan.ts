import { isDeepStrictEqual } from "node:util";
import { ApiError, type Client } from "@isola/client";
import type { FunctionView } from "@isola/api/functions";
import { usageFailure } from "../command.ts";
import { type Definition, guessRuntime } from "./definition.ts";
import { filesOfTar } from "./deployed-files.ts";
import { type PackageFile, fingerprint, readPackageFiles } from "./package-files.ts";

export interface Change {
  /** A setting, or `code`. */
  what: string;
  from: unknown;
  to: unknown;
}

/** What has to happen to one function. */
export interface Plan {
  name: string;
  action: "create" | "update" | "none";
  changes: Change[];
  settings: Record<string, unknown>;
  files: PackageFile[];
  live: FunctionView | null;
}

/** Compares what is wanted with what is live. Reads only. */
export async function planOf(client: Client, definition: Definition): Promise<Plan> {
  const files = readPackageFiles(definition.codeDir);
  const live = await findFunction(client, definition.name);
  const { name } = definition;
  if (live === null) {
    const settings = withRuntime(definition);
    const changes = Object.entries(settings).map(([what, to]) => ({ what, from: null, to }));
    return { name, action: "create", changes, settings, files, live };
  }
  const changes = settingChanges(definition.settings, live);
  const deployed = filesOfTar(await client.getCode(name));
  if (fingerprint(deployed) !== fingerprint(files)) {
    changes.push({ what: "code", from: sizeOf(deployed), to: sizeOf(files) });
  }
  const action = changes.length === 0 ? "none" : "update";
  return { name, action, changes, settings: definition.settings, files, live };
}

export async function findFunction(client: Client, name: string): Promise<FunctionView | null> {
  try {
    return await client.getFunction(name);
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}

function withRuntime(definition: Definition): Record<string, unknown> {
  if (definition.settings.runtime !== undefined) return definition.settings;
  const runtime = guessRuntime(definition.codeDir);
  if (runtime !== null) return { runtime, ...definition.settings };
  throw usageFailure(
    `${definition.codeDir} does not tell its language; say --runtime nodejs or --runtime python (in isola.yaml: runtime)`,
  );
}

function settingChanges(wanted: Record<string, unknown>, live: FunctionView): Change[] {
  return Object.entries(wanted)
    .map(([what, to]) => ({ what, from: (live as Record<string, unknown>)[what], to }))
    .filter(({ what, from, to }) => !isSame(what, from, to));
}

function isSame(what: string, from: unknown, to: unknown): boolean {
  if (what === "runtime") return from === to || isFamilyOf(String(to), String(from));
  if (what === "route") return isDeepStrictEqual(comparableRoute(from), comparableRoute(to));
  if (what === "build") return isDeepStrictEqual(from, { ...unbuilt, ...(to as object) });
  return isDeepStrictEqual(from, to);
}

/** What the server takes for members of `build` that are left out. */
const unbuilt = { dependencies: "auto", scripts: false, bundle: false };

/** `nodejs` asks for whatever version the revision was made with. */
function isFamilyOf(family: string, runtime: string): boolean {
  return runtime.startsWith(family) && /^[\d.]+$/.test(runtime.slice(family.length));
}

function comparableRoute(route: unknown): unknown {
  if (typeof route !== "object" || route === null) return null;
  const { methods, path } = route as { methods?: unknown; path?: unknown };
  const list = Array.isArray(methods) ? methods.map((method) => String(method).toUpperCase()) : [];
  return { methods: list.sort(), path };
}

function sizeOf(files: readonly PackageFile[]): string {
  const bytes = files.reduce((sum, file) => sum + file.bytes.length, 0);
  return `${files.length} files, ${bytes} bytes`;
}
