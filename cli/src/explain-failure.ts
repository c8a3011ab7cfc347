import { ApiError } from "@isola/client";
import type { Connection } from "./connection.ts";

/** What the server's answer means to somebody at this command line: where the URL and the key came from, and what sets them. */
export function explainFailure(error: ApiError, connection: Connection): string {
  const { url, urlSource, keySource, apiKey, context } = connection;
  if (error.code === "unreachable") {
    return `${error.message}\n  The address is from ${urlSource}. Start a server with \`npm start\`, or set ISOLA_URL to the API address of a running one`;
  }
  if (error.code === "unauthenticated") {
    if (apiKey !== undefined) return `the key from ${keySource} is not accepted by ${url}`;
    if (context !== null)
      return `context ${context} has no key: set ISOLA_API_KEY, or give it one with \`isola context add ${context} ${url} --replace --key -\` (\`isola keys create\` makes keys)`;
    return `no admin key in ${keySource}; set ISOLA_API_KEY, or ISOLA_DATA to the data folder of the server`;
  }
  if (isFunctionsListener(error)) {
    return `${url} (from ${urlSource}) is no API of Isola; perhaps it is where functions are called: ISOLA_URL takes the API address, which \`npm start\` prints (port 8081 unless set otherwise)`;
  }
  return error.message;
}

/** Only the functions listener answers `route_not_found`; a function of a path like the API's may answer anything. */
function isFunctionsListener(error: ApiError): boolean {
  return error.code === "route_not_found" || error.code === "bad_answer";
}

/** Where the API found a fault -> what a person here wrote: `path.name` -> `the name`, `query.limit` -> `--limit`. */
export function placeOfCall(path: string): string {
  const [, part, name = ""] = /^(path|query|request)\.(.*)$/s.exec(path) ?? [];
  if (part === "path") return `the ${name}`;
  if (part === "query") return `--${name}`;
  if (part === "request") return `--${name.startsWith("headers") ? "header" : name}`;
  return path;
}

/** The same refusal, its faults named by `placeOf`. */
export function inPlaces(error: ApiError, placeOf: (path: string) => string): ApiError {
  if (error.code !== "invalid_request" || error.details.length === 0) return error;
  const details = error.details.map((detail) => ({ ...detail, path: placeOf(detail.path) }));
  const lines = details.map(({ path, expected, given }) => {
    return `${path}: expected ${expected}, given ${given}`;
  });
  const { status, code, requestId } = error;
  return new ApiError(lines.join("\n  "), { status, code, details, requestId, cause: error });
}
