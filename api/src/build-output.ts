import { ApiError } from "./api-error.ts";
import type { ErrorBody } from "./errors.ts";
import { linesOf } from "./lines.ts";
import { jsonOf } from "./transport.ts";

export const BUILD_STREAM_TYPE = "application/x-ndjson";

type Line<T> =
  | { type: "output"; text: string }
  | { type: "function"; function: T }
  | ({ type: "error" } & ErrorBody);

/** The answer to a change that may build, its output told line by line. Rejects with `ApiError` where the build failed, or the stream ended before it said what came of it. */
export async function readBuildStream<T>(
  response: Response,
  onOutput: (text: string) => void,
): Promise<T> {
  const type = response.headers.get("content-type") ?? "";
  if (!type.startsWith(BUILD_STREAM_TYPE) || response.body === null) return jsonOf<T>(response);
  const requestId = response.headers.get("isola-request-id") ?? "";
  try {
    for await (const text of linesOf(response.body)) {
      const line = JSON.parse(text) as Line<T>;
      if (line.type === "output") onOutput(line.text);
      if (line.type === "function") return line.function;
      if (line.type === "error") throw failureOf(line);
    }
  } catch (error) {
    if (error instanceof ApiError || (error as Error).name === "AbortError") throw error;
    throw cut(requestId, error);
  }
  throw cut(requestId);
}

/** The status of the answer was sent before anything had failed. */
function failureOf({ error }: ErrorBody): ApiError {
  const { code, message, details, requestId } = error;
  return new ApiError(message, { status: 422, code, details, requestId });
}

function cut(requestId: string, cause?: unknown): ApiError {
  const message = "the answer ended before it said what came of the build; look at the function";
  return new ApiError(message, { status: 0, code: "bad_answer", requestId, cause });
}
