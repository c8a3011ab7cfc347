import type { Client } from "@isola/api/client";

export interface FunctionRequest {
  /** Left out: GET. */
  method?: string;
  /** Path and query as the function shall see them; left out: `/`. */
  path?: string;
  headers?: Record<string, string>;
  body?: RequestInit["body"];
  /** Gives the call up, and with it the function's run. */
  signal?: AbortSignal;
}

const KNOWN_MAX = 1000;

/** Calls functions by their default routes, whose addresses it asks for once a function. */
export function functionCaller(
  api: Pick<Client, "getFunction">,
  options: { functionsUrl?: string; fetch?: typeof fetch },
): (name: string, request: FunctionRequest) => Promise<Response> {
  const send = options.fetch ?? fetch;
  const known = new Map<string, string>();
  const addressOf = async (name: string, signal: AbortSignal | undefined): Promise<string> => {
    const kept = known.get(name);
    if (kept !== undefined) return kept;
    const { url, urls } = await api.getFunction(name, signal === undefined ? {} : { signal });
    const found = moved(urls[0] ?? url, options.functionsUrl);
    if (known.size >= KNOWN_MAX) known.clear();
    known.set(name, found);
    return found;
  };
  return async (name, { path = "/", ...request }) => {
    if (!path.startsWith("/")) throw new TypeError(`path must begin with /, given: ${path}`);
    const address = await addressOf(name, request.signal);
    const response = await send(`${address}${path === "/" ? "" : path}`, request);
    // Perhaps it is another one's by now.
    if (response.status === 404 && response.headers.has("isola-error")) known.delete(name);
    return response;
  };
}

/** The same address on another host. */
function moved(address: string, functionsUrl: string | undefined): string {
  if (functionsUrl === undefined) return address;
  return `${functionsUrl.replace(/\/+$/, "")}${new URL(address).pathname}`;
}
