import type { ChangeOptions, Client } from "@isola/client";
import type { ChangedFunction, CreateFunction, FunctionView } from "@isola/api/functions";
import { zipOf } from "./package-files.ts";
import type { Change, Plan } from "./plan.ts";

export interface Deployed {
  name: string;
  action: "created" | "updated" | "unchanged";
  changes: Change[];
  revision: number;
  url: string;
  /** New calls see it already. */
  applied: boolean;
}

/**
 * Carries out a plan. New code and new settings are two revisions, code first, each made only if nothing else has changed the function
 * since the plan was made (`precondition_failed`).
 */
export async function applyPlan(
  client: Client,
  plan: Plan,
  options: ChangeOptions = {},
): Promise<Deployed> {
  if (plan.live === null) return report(plan, "created", await create(client, plan, options));
  let fn: FunctionView | ChangedFunction = plan.live;
  if (plan.changes.some(({ what }) => what === "code")) {
    const zip = await zipOf(plan.files);
    fn = await client.putCode(plan.name, { zip }, { ...options, ifMatch: fn.etag });
  }
  const settings = plan.changes.filter(({ what }) => what !== "code");
  if (settings.length > 0) {
    const patch = Object.fromEntries(settings.map(({ what, to }) => [what, to]));
    fn = await client.patchFunction(plan.name, patch, { ...options, ifMatch: fn.etag });
  }
  return report(plan, plan.action === "none" ? "unchanged" : "updated", fn);
}

async function create(
  client: Client,
  plan: Plan,
  options: ChangeOptions,
): Promise<ChangedFunction> {
  const zip = await zipOf(plan.files);
  // The server checks every member: what a person wrote is sent as it is.
  const body = { name: plan.name, ...plan.settings, code: { zip: zip.toString("base64") } };
  return client.createFunction(body as CreateFunction, options);
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
