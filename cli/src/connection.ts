import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { usageFailure } from "./command.ts";

const DEFAULT_URL = "http://127.0.0.1:8081";

export interface Connection {
  url: string;
  apiKey?: string;
}

/** `ISOLA_URL` and `ISOLA_API_KEY`, else the server of this machine and the admin key in its data folder (`ISOLA_DATA`, `./data`). */
export function findConnection(env: NodeJS.ProcessEnv, cwd: string): Connection {
  const url = env.ISOLA_URL ?? DEFAULT_URL;
  if (!URL.canParse(url)) throw usageFailure(`ISOLA_URL must be a URL, given: ${url}`);
  const apiKey = env.ISOLA_API_KEY ?? readAdminKey(join(resolve(cwd, env.ISOLA_DATA ?? "data")));
  return apiKey === undefined ? { url } : { url, apiKey: apiKey.trim() };
}

function readAdminKey(dataDir: string): string | undefined {
  try {
    return readFileSync(join(dataDir, "admin-key"), "utf8");
  } catch {
    return undefined; // no server of this machine: the calls that need a key will say so
  }
}
