import { ApiError, type Client } from "@isola/client";
import type { Command, Options } from "./command.ts";
import type { Connection } from "./connection.ts";
import { didYouMean } from "./nearest.ts";
import { flagsOf, placesOf } from "./notation.ts";

/** A person waits for an error. */
const NAMES_MS = 2_000;
const NAMES_MAX = 200;

/** What the server's answer means to somebody at this command line: where the URL and the key came from, and what to run next. */
export function explainFailure(error: ApiError, connection: Connection): string {
  const { url, urlSource, keySource, apiKey, context } = connection;
  if (error.code === "unreachable") {
    return `${error.message}\n  The address is from ${urlSource}. Start a server here with \`npm start\` or \`isola up\`; for a running one: \`isola context use\`, or set ISOLA_URL to its API address`;
  }
  if (error.code === "unauthenticated") {
    const anew = `\`isola context add ${context} ${url} --replace --key -\``;
    if (apiKey !== undefined) {
      const cure = context === null ? "" : `; ${anew} gives it another`;
      return `the key from ${keySource} is not accepted by ${url}${cure}`;
    }
    if (context !== null)
      return `context ${context} has no key: set ISOLA_API_KEY, or give it one with ${anew} (\`isola keys create\`, on the server, makes keys)`;
    return `no admin key in ${keySource}; set ISOLA_API_KEY, or ISOLA_DATA to the data folder of the server (\`isola keys create\`, where it has one, makes keys)`;
  }
  if (error.code === "forbidden")
    return `${error.message}\n  The key is from ${keySource}. \`isola keys create\` makes one that may, with a key of scope admin`;
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

export interface Asked {
  command: Command;
  args: readonly string[];
  options: Options;
  client: Client;
  signal: AbortSignal;
}

/** For what does not exist: names that are near, asked of the server, and what lists them; nothing where nothing can be said. */
export async function otherNames(error: ApiError, asked: Asked): Promise<string> {
  if (error.code !== "not_found") return "";
  const [, what, name = ""] = MISSING.exec(error.message) ?? [];
  if (what === undefined) return "";
  const kind = what.toLowerCase() === "project" ? "project" : "function";
  if (!namesGiven(asked, kind).includes(name)) return "";
  const names = await namesOf(kind, asked);
  if (names.includes(name)) return "";
  return didYouMean(name, names) || `; \`${listing[kind]}\` lists those that there are`;
}

/** How a server's message begins that means one of these, whatever else it names. */
const MISSING = /^(?:there is no )?(function|project) "?([a-z0-9-]+)/i;
const listing = { function: "isola list", project: "isola projects" };

function namesGiven({ command, args, options }: Asked, kind: "function" | "project"): string[] {
  const ofPlaces = placesOf(command).map(({ name }, at) =>
    command.positionals?.[name]?.completes === kind ? args[at] : undefined,
  );
  const ofFlags = flagsOf(command).map(({ option, member }) =>
    option.completes === kind ? options[member] : undefined,
  );
  return [...ofPlaces, ...ofFlags].filter((one) => typeof one === "string");
}

async function namesOf(kind: "function" | "project", { client, signal }: Asked): Promise<string[]> {
  const options = { signal: AbortSignal.any([signal, AbortSignal.timeout(NAMES_MS)]) };
  const page = { limit: NAMES_MAX };
  try {
    const { items } =
      kind === "project"
        ? await client.listProjects(page, options)
        : await client.listFunctions(page, options);
    return items.map(({ name }) => name);
  } catch {
    return []; // the error that is being told matters more
  }
}
