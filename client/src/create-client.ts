import {
  type CallOptions,
  type ClientOptions,
  type EventTailQuery,
  type LogTailQuery,
  createClient as createApiClient,
} from "@isola/api/client";
import type { EventView } from "@isola/api/events";
import { type FollowOptions, followTail } from "@isola/api/follow-tail";
import type { LogLineView } from "@isola/api/logs";
import { type FunctionRequest, functionCaller } from "./call-function.ts";
import { type Deploy, type DeployOptions, deployFunction } from "./deploy-function.ts";

export interface IsolaOptions extends ClientOptions {
  /** Where functions are called, in place of what the server says of itself: `https://functions.example.com`. */
  functionsUrl?: string;
}

export type IsolaClient = ReturnType<typeof createClient>;

const RETRIES = 2;

/**
 * One method for each call of the API, under the name that `docs/client.md` lists, and what goes beyond one call. Methods reject with `ApiError`, or with the reason of a
 * signal that was aborted. They need no `this`.
 */
export function createClient(options: IsolaOptions) {
  const api = createApiClient({ retries: RETRIES, ...options });
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
          newestId: (signal) => newestId(api.listAllLogs, signal),
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
          newestId: (signal) => newestId(api.listEvents, signal),
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

type NewestFirst = (
  query: { order: "newest"; limit: number },
  options: CallOptions,
) => Promise<{ items: { id: string }[] }>;

async function newestId(
  list: NewestFirst,
  signal: AbortSignal | undefined,
): Promise<string | null> {
  const { items } = await list(
    { order: "newest", limit: 1 },
    signal === undefined ? {} : { signal },
  );
  return items[0]?.id ?? null;
}
