import { ApiError } from "@isola/api/api-error";

export interface ExplainedError {
  title: string;
  message: string;
  details: readonly { path: string; expected: string; given: string }[];
  /** Empty where there is none. */
  requestId: string;
}

const NO_ANSWER =
  "Nothing came back: it may be down or starting, or the connection is. What you typed is still here; try again once it answers.";
/** In the words of browsers. */
const MISSING_PART = /dynamically imported module|importing a module script failed/i;
const missingPart: ExplainedError = {
  title: "This page could not be fetched",
  message:
    "The server did not answer, or is of another version by now. Load the page anew once it answers.",
  ...{ details: [], requestId: "" },
};

/** An error in words for a person. Text of others in it stays text. */
export function explainError(error: unknown): ExplainedError {
  if (!(error instanceof ApiError)) {
    const message = error instanceof Error ? error.message : String(error);
    if (MISSING_PART.test(message)) return missingPart;
    return { title: "The console has a defect", message, details: [], requestId: "" };
  }
  const { status, details, requestId } = error;
  const message = status === 0 ? NO_ANSWER : error.message;
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
