import type { Page, Request } from "playwright-core";

/** What a page asks the API for, by resource: `GET /api/v1/functions/{name}`, however its query is. */
export interface AskedRequests {
  /** How often each was asked for since the last call, without what did not come and may be asked for again. */
  take(): Map<string, number>;
}

export function watchRequests(page: Page): AskedRequests {
  let asked: Request[] = [];
  const refused = new WeakSet<Request>();
  page.on("request", (request) => {
    if (new URL(request.url()).pathname.startsWith("/api/")) asked.push(request);
  });
  page.on("response", (response) => {
    if (response.status() >= 500) refused.add(response.request());
  });
  return {
    take: () => {
      const counts = new Map<string, number>();
      for (const request of asked) {
        if (request.failure() !== null || refused.has(request)) continue;
        const { pathname, searchParams } = new URL(request.url());
        const one = `${request.method()} ${pathname}${kindOf(searchParams)}`;
        counts.set(one, (counts.get(one) ?? 0) + 1);
      }
      asked = [];
      return counts;
    },
  };
}

/** Metrics in groups of other things are other resources; what merely narrows a list is not. */
function kindOf(query: URLSearchParams): string {
  const groups = query.getAll("groupBy");
  return groups.length === 0 ? "" : ` by ${groups.join(", ")}`;
}
