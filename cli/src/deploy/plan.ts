import { isDeepStrictEqual } from "node:util";
import { ApiError, type Client } from "@isola/client";
import { APP_LABEL } from "@isola/api/definition-file";
import type { FunctionView } from "@isola/api/functions";
import { Failure, usageFailure } from "../command.ts";
import { type Change, envChanges, fileChanges } from "./change.ts";
import { type Definition, guessRuntime } from "./definition.ts";
import { filesOfTar } from "./deployed-files.ts";
import { type FileMark, type PackageMark, markOf } from "./package-digest.ts";
import { settledSchedules } from "./schedule-changes.ts";

/** What has to happen to one function. */
export interface Plan {
  name: string;
  action: "create" | "update" | "none" | "delete";
  changes: Change[];
  /** What a new function gets, and members of which an update sends those that change. */
  settings: Record<string, unknown>;
  codeDir: string;
  /** Of the folder as it was compared. */
  digest: string;
  live: FunctionView | null;
  /** Values of env that this key may not see, and which were not compared. */
  unseen: number;
}

/** What a plan is made with. */
export interface Planning {
  client: Client;
  /** Functions of other applications may be taken over. */
  adopts: boolean;
  mark(codeDir: string): Promise<PackageMark>;
}

/** Compares what is wanted with what is live. Reads only. */
export async function planOf(definition: Definition, planning: Planning): Promise<Plan> {
  const { client } = planning;
  const { name, codeDir } = definition;
  const { digest, files } = await planning.mark(codeDir);
  const live = await findFunction(client, name);
  if (live !== null) refuseForeign(definition, live, planning.adopts);
  const labels = labelsOf(definition, live);
  const wanted = { ...definition.settings, ...(labels && { labels }) };
  if (live === null) {
    const settings = withRuntime(wanted, codeDir);
    const changes = Object.entries(settings).flatMap(([what, to]) =>
      what === "env"
        ? envChanges({}, to as Record<string, string>).changes
        : [{ what, from: null, to }],
    );
    const code = { what: "code", from: null, to: sizeOf(files) };
    const all = [...changes, code];
    return { name, action: "create", changes: all, settings, codeDir, digest, live, unseen: 0 };
  }
  const { changes, unseen } = settingChanges(wanted, live);
  if (live.codeDigest !== digest) changes.push(...(await codeChanges(client, live, files)));
  const action = changes.length === 0 ? "none" : "update";
  return { name, action, changes, settings: wanted, codeDir, digest, live, unseen };
}

export function planOfDelete(live: FunctionView): Plan {
  const { name } = live;
  const nothing = { changes: [], settings: {}, codeDir: "", digest: "", unseen: 0 };
  return { name, action: "delete", live, ...nothing };
}

export async function findFunction(client: Client, name: string): Promise<FunctionView | null> {
  try {
    return await client.getFunction(name);
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}

function refuseForeign({ name, app }: Definition, live: FunctionView, adopts: boolean): void {
  const owner = live.labels[APP_LABEL];
  if (app === undefined || owner === undefined || owner === app || adopts) return;
  const own = app === null ? "this isola.yaml has no `name`" : `this isola.yaml is of ${app}`;
  throw new Failure(
    `${name} belongs to the application ${owner}, and ${own}: --adopt takes the function over`,
  );
}

/** The labels that are to be; undefined: they stay as they are. */
function labelsOf(
  { settings, app }: Definition,
  live: FunctionView | null,
): Record<string, string> | undefined {
  const owner = live?.labels[APP_LABEL];
  const wanted = settings.labels as Record<string, string> | undefined;
  const keeps = app === undefined ? owner : (app ?? undefined);
  if (wanted === undefined && owner === keeps) return undefined;
  const { [APP_LABEL]: _owner, ...others } = wanted ?? live?.labels ?? {};
  return { ...others, ...(keeps !== undefined && { [APP_LABEL]: keeps }) };
}

function withRuntime(settings: Record<string, unknown>, codeDir: string): Record<string, unknown> {
  if (settings.runtime !== undefined) return settings;
  const runtime = guessRuntime(codeDir);
  if (runtime !== null) return { runtime, ...settings };
  throw usageFailure(
    `${codeDir} does not tell its language; say --runtime nodejs or --runtime python (in isola.yaml: runtime)`,
  );
}

/** File by file; none where only folders without files differ. */
async function codeChanges(
  client: Client,
  { name }: FunctionView,
  files: readonly FileMark[],
): Promise<Change[]> {
  const deployed = filesOfTar(await client.getCode(name)).map(markOf);
  const changed = fileChanges(deployed, files);
  if (changed.length === 0) return [];
  return [{ what: "code", from: sizeOf(deployed), to: sizeOf(files), files: changed }];
}

function settingChanges(
  wanted: Record<string, unknown>,
  live: FunctionView,
): { changes: Change[]; unseen: number } {
  const { env, ...others } = wanted;
  const changes = Object.entries(others)
    .map(([what, to]) => ({ what, from: (live as Record<string, unknown>)[what], to }))
    .filter(({ what, from, to }) => !isSame(what, from, to));
  if (env === undefined) return { changes, unseen: 0 };
  const ofEnv = envChanges(live.env, env as Record<string, string>);
  return { changes: [...changes, ...ofEnv.changes], unseen: ofEnv.unseen };
}

function isSame(what: string, from: unknown, to: unknown): boolean {
  if (what === "runtime") return from === to || isFamilyOf(String(to), String(from));
  if (what === "route") return isDeepStrictEqual(comparableRoute(from), comparableRoute(to));
  if (what === "build") return isDeepStrictEqual(from, { ...unbuilt, ...(to as object) });
  if (what === "schedules") return isDeepStrictEqual(from, settledSchedules(to));
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
  return { methods: [...new Set(list)].sort(), path };
}

function sizeOf(files: readonly FileMark[]): string {
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  return `${files.length} files, ${bytes} bytes`;
}
