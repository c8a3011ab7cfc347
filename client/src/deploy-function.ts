import { ApiError } from "@isola/api/api-error";
import type { ChangeOptions, Client } from "@isola/api/client";
import type { ChangedFunction, CreateFunction, FunctionView } from "@isola/api/functions";
import { base64Of, zipOf } from "./zip.ts";

/** A function as it is wanted: its settings by the API's names, and its code. */
export interface Deploy extends Omit<CreateFunction, "code"> {
  /** By path with `/`, below the function's folder: text, or bytes. */
  files: Record<string, string | Uint8Array>;
}

/** `ifMatch` and keys are its own: it makes up to three calls. */
export type DeployOptions = Pick<ChangeOptions, "signal" | "onOutput">;

type Deployer = Pick<Client, "createFunction" | "getFunction" | "patchFunction" | "putCode">;

/** Rejects with `precondition_failed` where somebody else changes the function meanwhile. */
export async function deployFunction(
  api: Deployer,
  { files, ...wanted }: Deploy,
  options: DeployOptions,
): Promise<ChangedFunction> {
  const { name, ...settings } = wanted;
  const live = await findFunction(api, name, options.signal);
  if (live === null) return api.createFunction({ ...wanted, code: codeOf(files) }, options);
  const changed = await api.putCode(name, uploadOf(files), { ...options, ifMatch: live.etag });
  if (isAsWanted(changed, settings)) return changed;
  return api.patchFunction(name, settings, { ...options, ifMatch: changed.etag });
}

async function findFunction(
  api: Deployer,
  name: string,
  signal: AbortSignal | undefined,
): Promise<FunctionView | null> {
  try {
    return await api.getFunction(name, signal === undefined ? {} : { signal });
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}

function codeOf(files: Deploy["files"]): CreateFunction["code"] {
  return isText(files) ? { files } : { zip: base64Of(zipOf(files)) };
}

function uploadOf(files: Deploy["files"]) {
  return isText(files) ? { files } : { zip: zipOf(files) };
}

function isText(files: Deploy["files"]): files is Record<string, string> {
  return Object.values(files).every((file) => typeof file === "string");
}

/** Plain settings alone are compared: of the others the server says what they become. */
function isAsWanted(live: ChangedFunction, settings: object): boolean {
  return Object.entries(settings).every(([name, value]) => {
    const now = (live as Record<string, unknown>)[name];
    return value === undefined || value === now || isFamily(name, value, now);
  });
}

/** `nodejs` asks for whatever version there is. */
function isFamily(name: string, value: unknown, now: unknown): boolean {
  return (
    name === "runtime" &&
    /^(nodejs|python)$/.test(String(value)) &&
    String(now).startsWith(String(value))
  );
}
