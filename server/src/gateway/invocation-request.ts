import type { InvokeLines } from "@isola/protocol/heads";
import type { CallTrace } from "../domain/trace.ts";
import type { CallCount } from "./admission.ts";
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
  /** For its record; null: tracing is off, or nobody will ask for it. */
  trace: CallTrace | null;
  /** Among whose calls it counts. */
  count: CallCount;
  /** For the record: as the caller sent it. */
  path: string;
}

/** Of an event, which came through no HTTP. */
export const eventLines = {
  method: "",
  target: "",
  prefix: "",
  sourceAddress: "",
  httpVersion: "",
  scheme: "",
  routeKey: "",
  pathParameters: "",
};
