import { ApiError } from "@isola/api/api-error";

export interface ExplainedError {
  title: string;
  message: string;
  details: readonly { path: string; expected: string; given: string }[];
  /** Empty where there is none. */
  requestId: string;
}

/** An error in words for a person. Text of others in it stays text. */
export function explainError(error: unknown): ExplainedError {
  if (!(error instanceof ApiError)) {
    const message = error instanceof Error ? error.message : String(error);
    return { title: "The console has a defect", message, details: [], requestId: "" };
  }
  const { message, details, requestId } = error;
  return { title: titleOf(error), message, details, requestId };
}

function titleOf({ status, code }: ApiError): string {
  if (status === 0) return "The server does not answer";
  if (code === "forbidden") return "This key may not do that";
  if (code === "not_found") return "It is not there";
  if (code === "precondition_failed") return "Somebody else has changed it meanwhile";
  if (status === 503) return "The server is not ready";
  return status >= 500 ? "The server failed" : "That did not work";
}
