import { existsSync, readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { join, resolve } from "node:path";
import { usageFailure } from "./command.ts";

const DEFAULT_URL = "http://127.0.0.1:8081";

export interface Connection {
  url: string;
  /** Who said so, in words for a message. */
  urlSource: string;
  apiKey?: string;
  /** Where the key comes from, or would have been. */
  keySource: string;
}

export interface ConnectionSources {
  env: NodeJS.ProcessEnv;
  cwd: string;
  /** Data folder of the checkout that this command belongs to. */
  checkoutData?: string;
}

/**
 * `ISOLA_URL` and `ISOLA_API_KEY`; what is unset or empty comes from the data folder of a server on this machine: `ISOLA_DATA`, else `./data`, else that of
 * the checkout. The URL falls back to the default port.
 */
export function findConnection(sources: ConnectionSources): Connection {
  const folder = dataFolderOf(sources);
  const { url, urlSource } = findUrl(sources.env, folder);
  if (!URL.canParse(url)) throw usageFailure(`${urlSource} must be a URL, given: ${url}`);
  const given = sources.env.ISOLA_API_KEY;
  if (given) return { url, urlSource, apiKey: given.trim(), keySource: "ISOLA_API_KEY" };
  const keyPath = join(folder.path, "admin-key");
  const apiKey = readIfThere(keyPath);
  const keySource = `${keyPath}${folder.isNamed ? " (ISOLA_DATA)" : ""}`;
  return { url, urlSource, keySource, ...(apiKey && { apiKey }) };
}

interface Folder {
  path: string;
  /** By ISOLA_DATA; otherwise it is where this command happens to run. */
  isNamed: boolean;
}

function dataFolderOf({ env, cwd, checkoutData }: ConnectionSources): Folder {
  if (env.ISOLA_DATA) return { path: resolve(cwd, env.ISOLA_DATA), isNamed: true };
  const here = resolve(cwd, "data");
  const isElsewhere =
    checkoutData !== undefined &&
    !existsSync(join(here, "admin-key")) &&
    existsSync(join(checkoutData, "admin-key"));
  return { path: isElsewhere ? checkoutData : here, isNamed: false };
}

function findUrl(env: NodeJS.ProcessEnv, folder: Folder): { url: string; urlSource: string } {
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

function isThisMachine(hostname: string): boolean {
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
