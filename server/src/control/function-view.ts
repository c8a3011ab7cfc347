import type { FunctionView, RevisionView } from "@isola/api/functions";
import { scopesAllow } from "../auth/scopes.ts";
import type { Caller } from "../auth/authenticator.ts";
import type { RevisionSettings } from "../domain/function.ts";
import { prefixOf } from "../domain/project.ts";
import type { FunctionRow, RevisionRow } from "../store/store.ts";

export function etagOf({ version }: { version: number }): string {
  return `"v${version}"`;
}

/** A function as the caller may see it: values of env only for keys that may deploy. */
export function functionView(
  fn: FunctionRow,
  live: RevisionRow,
  to: { caller: Caller; gatewayUrl: string },
): FunctionView {
  const urls = urlsOf(fn, live.settings, to.gatewayUrl);
  return {
    name: fn.name,
    project: fn.project,
    description: fn.description,
    labels: fn.labels,
    url: urls.at(-1) as string,
    urls,
    ...settingsView(live.settings, to.caller),
    liveRevision: fn.liveRevision,
    latestRevision: fn.latestRevision,
    codeDigest: live.artifact.digest,
    codeBytes: live.artifact.bytes,
    layer: layerView(live),
    createdAt: isoTime(fn.createdAt),
    updatedAt: isoTime(fn.updatedAt),
    etag: etagOf(fn),
  };
}

export function revisionView(row: RevisionRow, liveRevision: number, caller: Caller): RevisionView {
  return {
    revision: row.revision,
    isLive: row.revision === liveRevision,
    reason: row.reason,
    createdAt: isoTime(row.createdAt),
    createdBy: row.createdBy,
    codeDigest: row.artifact.digest,
    codeBytes: row.artifact.bytes,
    layer: layerView(row),
    ...settingsView(row.settings, caller),
  };
}

function layerView({ layer }: RevisionRow): FunctionView["layer"] {
  if (layer === undefined) return null;
  const { digest, bytes } = layer.artifact;
  return { digest, bytes, place: layer.place };
}

export function isoTime(unixMs: number): string {
  return new Date(unixMs).toISOString();
}

function settingsView(settings: RevisionSettings, caller: Caller) {
  const seesValues = scopesAllow(caller.scopes, "deploy");
  const names = Object.keys(settings.env);
  const env: Record<string, string | null> = seesValues
    ? settings.env
    : Object.fromEntries(names.map((name) => [name, null]));
  return {
    runtime: settings.runtime,
    handler: settings.handler,
    route: settings.route as FunctionView["route"],
    driver: settings.driver,
    memoryMiB: settings.memoryMiB,
    tmpMiB: settings.tmpMiB,
    timeoutMs: settings.timeoutMs,
    initTimeoutMs: settings.initTimeoutMs,
    queueTimeoutMs: settings.queueTimeoutMs,
    concurrency: settings.concurrency,
    concurrencyTarget: settings.concurrencyTarget,
    minSandboxes: settings.minSandboxes,
    maxSandboxes: settings.maxSandboxes,
    reservedConcurrency: settings.reservedConcurrency,
    idleTimeoutMs: settings.idleTimeoutMs,
    timeoutGraceMs: settings.timeoutGraceMs,
    firstByteTimeoutMs: settings.firstByteTimeoutMs,
    streamIdleTimeoutMs: settings.streamIdleTimeoutMs,
    streamTimeoutMs: settings.streamTimeoutMs,
    afterResponse: settings.afterResponse,
    onDisconnect: settings.onDisconnect,
    network: settings.network,
    schedules: [...settings.schedules],
    build: settings.build,
    env,
    exposeErrors: settings.exposeErrors,
  };
}

/** The default route first, then the route of the settings. */
function urlsOf(
  { name, project }: FunctionRow,
  settings: RevisionSettings,
  gatewayUrl: string,
): string[] {
  const base = `${gatewayUrl}${prefixOf(project)}`;
  const own = settings.route === null ? [] : [`${base}${settings.route.path}`];
  return [`${base}/${name}`, ...own];
}
