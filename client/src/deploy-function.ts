import { ApiError } from "@isola/api/api-error";
import type { ChangeOptions, Client } from "@isola/api/client";
import type { ChangedFunction, CreateFunction, FunctionView } from "@isola/api/functions";
import { base64Of, zipOf } from "./zip.ts";

/** A function as it is wanted: its settings by the API's names, and its code. */
export interface Deploy extends Omit<CreateFunction, "code"> {
  /** By path with `/`, below the function's folder: text, or bytes. */
  files: Record<string, string | Uint8Array>;
}

/** `ifMatch` and keys are its own: it makes two calls. */
export type DeployOptions = Pick<ChangeOptions, "signal" | "onOutput">;

type Deployer = Pick<Client, "createFunction" | "getFunction" | "patchFunction">;

/** Code and settings are one revision; none where nothing differs. Rejects with `precondition_failed` where somebody else changes the function meanwhile. */
export async function deployFunction(
  api: Deployer,
  { files, ...wanted }: Deploy,
  options: DeployOptions,
): Promise<ChangedFunction> {
  const { name, ...settings } = wanted;
  const live = await findFunction(api, name, options.signal);
  const code = codeOf(files);
  if (live === null) return api.createFunction({ ...wanted, code }, options);
  return api.patchFunction(name, { ...settings, code }, { ...options, ifMatch: live.etag });
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

function isText(files: Deploy["files"]): files is Record<string, string> {
  return Object.values(files).every((file) => typeof file === "string");
}
