import type { ChangeOptions, Client } from "@isola/client";
import type { ChangedFunction, CreateFunction, FunctionView } from "@isola/api/functions";
import { Failure } from "../command.ts";
import { requestLimits } from "@isola/api/limits";
import type { Change } from "./change.ts";
import { digestOf } from "./package-digest.ts";
import { readPackageFiles, zipOf } from "./package-files.ts";
import type { Plan } from "./plan.ts";

export interface Deployed {
  name: string;
  action: "created" | "updated" | "unchanged" | "deleted";
  changes: Change[];
  revision: number;
  url: string;
  /** New calls see it already. */
  applied: boolean;
}

/** Files are others than those that were compared. */
export class ChangedMeanwhile extends Failure {}

export interface ApplyOptions extends ChangeOptions {
  /** The server is on this machine. */
  isNear?: boolean;
}

/**
 * Carries out a plan, whole or not at all: code and settings are one revision, made only if nothing else has changed the function since the plan was made
 * (`precondition_failed`), of the files that were compared.
 */
export async function applyPlan(
  client: Client,
  plan: Plan,
  { isNear = false, ...options }: ApplyOptions = {},
): Promise<Deployed> {
  const { name, live, settings, changes } = plan;
  if (plan.action === "delete") return remove(client, plan, options);
  if (live === null) {
    const zip = await packed(plan, isNear);
    // The server checks every member: what a person wrote is sent as it is.
    const body = { name, ...settings, code: { zip: zip.toString("base64") } };
    return report(plan, "created", await client.createFunction(body as CreateFunction, options));
  }
  if (plan.action === "none") return report(plan, "unchanged", live);
  const members = new Set(changes.map(({ what }) => (what.startsWith("env.") ? "env" : what)));
  const isCode = members.delete("code");
  const given = { ...options, ifMatch: live.etag };
  if (isCode && members.size === 0) {
    const zip = await packed(plan, isNear);
    return report(plan, "updated", await client.putCode(name, { zip }, given));
  }
  const patch: Record<string, unknown> = {};
  for (const member of members) patch[member] = settings[member];
  if (isCode) patch.code = { zip: (await packed(plan, isNear)).toString("base64") };
  return report(plan, "updated", await client.patchFunction(name, patch, given));
}

/** The files that were compared. */
async function packed({ codeDir, digest }: Plan, isNear: boolean): Promise<Buffer<ArrayBuffer>> {
  const files = readPackageFiles(codeDir);
  if ((await digestOf(files)) !== digest)
    throw new ChangedMeanwhile(
      `${codeDir} has changed since it was compared with what is deployed; deploy again`,
    );
  const zip = await zipOf(files, [], isNear);
  const { packageBytesMax } = requestLimits;
  if (zip.length <= packageBytesMax) return zip;
  throw new Failure(
    `${codeDir} has ${zip.length} bytes when packed, and a package takes ${packageBytesMax}; name what the function does not need in .isolaignore`,
  );
}

async function remove(client: Client, plan: Plan, options: ChangeOptions): Promise<Deployed> {
  const live = plan.live as FunctionView;
  const { signal } = options;
  const call = { ifMatch: live.etag, ...(signal && { signal }) };
  const { applied } = await client.deleteFunction(plan.name, call);
  return { ...report(plan, "deleted", live), applied };
}

function report(
  plan: Plan,
  action: Deployed["action"],
  fn: FunctionView | ChangedFunction,
): Deployed {
  const applied = "applied" in fn ? fn.applied : true;
  const { name, changes } = plan;
  return { name, action, changes, revision: fn.liveRevision, url: fn.url, applied };
}
