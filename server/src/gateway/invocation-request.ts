import type { InvokeLines } from "@isola/protocol/heads";
import type { DeployedFunction } from "../domain/function.ts";
import type { RequestBody } from "./request-body.ts";

/** A call as it came in, whatever way. */
export interface InvocationRequest {
  id: string;
  /** Without `id`, which is added. */
  lines: Omit<InvokeLines, "id">;
  headerBlock: string;
  /** null: no body. */
  body: RequestBody | null;
  isEvent: boolean;
  /** For the record: as the caller sent it. */
  path: string;
}

/** What a record says of the call whatever became of it. */
export function identityOf(fn: DeployedFunction, request: InvocationRequest) {
  return {
    id: request.id,
    project: fn.project,
    functionName: fn.name,
    functionId: fn.functionId,
    revision: fn.revision,
    driver: fn.settings.driver,
    runtime: fn.settings.runtime,
    method: request.lines.method,
    path: request.path,
  };
}
