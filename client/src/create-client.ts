import {
  type CallOptions,
  type ClientOptions as ApiClientOptions,
  type EventTailQuery,
  type LogTailQuery,
  createClient as createApiClient,
} from "@isola/api/client";
import type { EventView } from "@isola/api/events";
import { type FollowOptions, followTail } from "@isola/api/follow-tail";
import type { LogLineView } from "@isola/api/logs";
import { RETRIES_MAX } from "@isola/api/retry";
import { type FunctionRequest, functionCaller } from "./call-function.ts";
import { type Deploy, type DeployOptions, deployFunction } from "./deploy-function.ts";

export interface ClientOptions extends ApiClientOptions {
  /** Where functions are called, in place of what the server says of itself: `https://functions.example.com`. */
  functionsUrl?: string;
}

export type Client = ReturnType<typeof createClient>;

const RETRIES = 2;
/** The longest that a timer can wait. */
const TIMEOUT_MS_MAX = 2 ** 31 - 1;

/**
 * One method for each call of the API, under the name that `docs/client.md` lists, and what goes beyond one call. Methods reject with `ApiError`, or with the reason of a
 * signal that was aborted. They need no `this`.
 */
export function createClient(options: ClientOptions) {
  check(options);
  const api = createApiClient({ ...options, retries: options.retries ?? RETRIES });
  const call = functionCaller(api, options);
  return {
    ...api,
    /** Each new log line once, until the loop ends; goes on behind the last one after a break of the connection. */
    followLogs: (
      query: LogTailQuery = {},
      follow: FollowOptions = {},
    ): AsyncGenerator<LogLineView> =>
      followTail(
        {
          open: (opening) => api.tailLogs(query, opening),
          newestId: (signal) => newestId(api.listAllLogs, query, signal),
        },
        follow,
      ),
    /** Each new event once, as `followLogs`. */
    followEvents: (
      query: EventTailQuery = {},
      follow: FollowOptions = {},
    ): AsyncGenerator<EventView> =>
      followTail(
        {
          open: (opening) => api.tailEvents(query, opening),
          newestId: (signal) => newestId(api.listEvents, query, signal),
        },
        follow,
      ),
    /**
     * Calls a function by HTTP, as everyone may who reaches the functions listener: no API key is sent. Resolves with the function's own answer, whatever its status.
     * Never made twice.
     */
    call: (name: string, request: FunctionRequest = {}): Promise<Response> => call(name, request),
    /** Creates a function, or gives the one of that name new code and the settings that are named. */
    deploy: (wanted: Deploy, deploying: DeployOptions = {}) =>
      deployFunction(api, wanted, deploying),
  };
}

/** Throws where a call could only fail in a way that says less. */
function check({ url, functionsUrl, retries = 0, timeoutMs = 1 }: ClientOptions): void {
  for (const [name, given] of Object.entries({ url, functionsUrl })) {
    if (given === undefined && name !== "url") continue;
    const address = typeof given === "string" && URL.canParse(given) ? new URL(given) : null;
    if (address !== null && (address.username !== "" || address.password !== ""))
      throw new TypeError(`${name} must hold no user name and no password; apiKey says who calls`);
    if (address !== null && /^https?:$/.test(address.protocol)) continue;
    const example = "http://127.0.0.1:8081";
    throw new TypeError(`${name} must be an address such as ${example}, given: ${String(given)}`);
  }
  if (!Number.isInteger(retries) || retries < 0 || retries > RETRIES_MAX)
    throw new TypeError(`retries must be a whole number up to ${RETRIES_MAX}, given: ${retries}`);
  if (!(timeoutMs >= 1 && timeoutMs <= TIMEOUT_MS_MAX))
    throw new TypeError(`timeoutMs must be from 1 to ${TIMEOUT_MS_MAX}, given: ${timeoutMs}`);
}

type Scope = Pick<EventTailQuery, "project" | "projects">;
type NewestFirst = (
  query: Scope & { order: "newest"; limit: number },
  options: CallOptions,
) => Promise<{ items: { id: string }[] }>;

/** Of what the tail could show, were it not for its other filters. */
async function newestId(
  list: NewestFirst,
  { project, projects }: Scope,
  signal: AbortSignal | undefined,
): Promise<string | null> {
  const scope = { ...(project && { project }), ...(projects && { projects }) };
  const query = { ...scope, order: "newest", limit: 1 } as const;
  const { items } = await list(query, signal === undefined ? {} : { signal });
  return items[0]?.id ?? null;
}
