import type { Artifact } from "../domain/function.ts";
import type { LinkRequests } from "../link/messages.ts";

/** What comparisons need of others. */

export interface ComparisonGateway {
  request<K extends "trial" | "status">(
    kind: K,
    params: LinkRequests[K]["params"],
    signal?: AbortSignal,
  ): Promise<LinkRequests[K]["result"]>;
}

export interface ComparisonArtifacts {
  /** Keeps the code; what no revision refers to is removed an hour after it was last put. */
  put(input: { kind: "files"; files: Record<string, string> }): Promise<Artifact>;
}

/** The part of pino that is used. */
export interface ComparisonLog {
  warn(fields: object, message: string): void;
}
