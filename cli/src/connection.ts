import { existsSync, readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { join, resolve } from "node:path";
import { usageFailure } from "./command.ts";
import { type ServerContext, contextOf } from "./contexts/contexts.ts";
import { contextsPath, readContexts } from "./contexts/contexts-file.ts";

const DEFAULT_URL = "http://127.0.0.1:8081";

export interface Connection {
  url: string;
  /** Who said so, in words for a message. */
  urlSource: string;
  apiKey?: string;
  /** Where the key comes from, or would have been. */
  keySource: string;
  project?: string;
  /** The context that says so; null: none does. */
  context: string | null;
}

export interface ConnectionSources {
  env: NodeJS.ProcessEnv;
  cwd: string;
  /** Data folder of the checkout that this command belongs to. */
  checkoutData?: string | undefined;
}

/** What `--context` and `--project` say. */
export interface ConnectionFlags {
  context?: string;
  project?: string;
}

/**
 * Where to call, and as whom. The address: `--context`, `ISOLA_URL`, `ISOLA_CONTEXT`, `ISOLA_DATA`, the current context, the data folder of a server on this machine
 * (`./data`, else that of the checkout), the default port. The key: that of `--context`, `ISOLA_API_KEY`, that of the context or data folder which gave the address. A
 * context's key goes to its own address alone; the data folder's, to no context's.
 */
export function findConnection(
  sources: ConnectionSources,
  flags: ConnectionFlags = {},
): Connection {
  const { env } = sources;
  const project = flags.project || env.ISOLA_PROJECT;
  const chosen = chosenContext(sources, flags.context);
  if (chosen === null) {
    const found = ofDataFolder(sources);
    return { ...found, ...(project && { project }), context: null };
  }
  const { name, source, context } = chosen;
  const ownKey = { apiKey: context.apiKey, keySource: `context ${name}` };
  const given = env.ISOLA_API_KEY?.trim();
  const envKey = given ? { apiKey: given, keySource: "ISOLA_API_KEY" } : null;
  const isByFlag = flags.context !== undefined;
  const key = isByFlag && context.apiKey !== undefined ? ownKey : (envKey ?? ownKey);
  const ofProject = project || context.project;
  return {
    url: context.url,
    urlSource: `context ${name} (${source})`,
    keySource: key.keySource,
    ...(key.apiKey !== undefined && { apiKey: key.apiKey }),
    ...(ofProject && { project: ofProject }),
    context: name,
  };
}

interface Chosen {
  name: string;
  /** What names it. */
  source: string;
  context: ServerContext;
}

function chosenContext({ env }: ConnectionSources, flag: string | undefined): Chosen | null {
  if (flag === undefined && env.ISOLA_URL) return null;
  const asked = flag ?? (env.ISOLA_CONTEXT || undefined);
  // Somebody who names a data folder means that server, not one that was chosen some day.
  if (asked === undefined && env.ISOLA_DATA) return null;
  const path = contextsPath(env);
  const all = readContexts(path);
  const name = asked ?? all.current;
  if (name === null) return null;
  const source = flag !== undefined ? "--context" : asked ? "ISOLA_CONTEXT" : "the current one";
  return { name, source, context: contextOf(all, name, source) };
}

function ofDataFolder(sources: ConnectionSources): Omit<Connection, "context"> {
  const folder = dataFolderOf(sources);
  const { url, urlSource } = findUrl(sources.env, folder);
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url))
    throw usageFailure(`${urlSource} must be a URL like ${DEFAULT_URL}, given: ${url}`);
  const given = sources.env.ISOLA_API_KEY;
  if (given) return { url, urlSource, apiKey: given.trim(), keySource: "ISOLA_API_KEY" };
  const keyPath = join(folder.path, "admin-key");
  const apiKey = readIfThere(keyPath);
  const keySource = `${keyPath}${folder.isNamed ? " (ISOLA_DATA)" : ""}`;
  return { url, urlSource, keySource, ...(apiKey && { apiKey }) };
}

export interface DataFolder {
  path: string;
  /** By ISOLA_DATA; otherwise it is where this command happens to run. */
  isNamed: boolean;
}

/** Of a server on this machine. */
export function dataFolderOf({ env, cwd, checkoutData }: ConnectionSources): DataFolder {
  if (env.ISOLA_DATA) return { path: resolve(cwd, env.ISOLA_DATA), isNamed: true };
  const here = resolve(cwd, "data");
  const isElsewhere =
    checkoutData !== undefined &&
    !existsSync(join(here, "admin-key")) &&
    existsSync(join(checkoutData, "admin-key"));
  return { path: isElsewhere ? checkoutData : here, isNamed: false };
}

function findUrl(env: NodeJS.ProcessEnv, folder: DataFolder): { url: string; urlSource: string } {
  if (env.ISOLA_URL) return { url: env.ISOLA_URL, urlSource: "ISOLA_URL" };
  const path = join(folder.path, "api-url");
  const url = readIfThere(path);
  if (!url) return { url: DEFAULT_URL, urlSource: `the default; there is no ${path}` };
  // A folder that merely lies where the command is run must not send somebody's ISOLA_API_KEY to another machine.
  if (!folder.isNamed && URL.canParse(url) && !isThisMachine(new URL(url).hostname)) {
    throw usageFailure(`${path} names another machine, ${url}: set ISOLA_URL to mean it`);
  }
  return { url, urlSource: path };
}

/** Whether a host name is this machine, by its loopback or an address that it has. */
export function isThisMachine(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, "");
  if (host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host)) return true;
  return Object.values(networkInterfaces()).some((list) =>
    list?.some(({ address }) => address === host),
  );
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return undefined; // no server of this machine, or not for this user: the call that needs it says so
  }
}
