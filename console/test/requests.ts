import type { Page } from "playwright-core";

/** What a page asks the API for, by resource: `GET /api/v1/functions/{name}`, however its query is. */
export interface AskedRequests {
  /** How often each was asked for since the last call, most first. */
  take(): Map<string, number>;
}

export function watchRequests(page: Page): AskedRequests {
  let asked: string[] = [];
  page.on("request", (request) => {
    const { pathname, searchParams } = new URL(request.url());
    if (!pathname.startsWith("/api/")) return;
    asked.push(`${request.method()} ${pathname}${kindOf(searchParams)}`);
  });
  return {
    take: () => {
      const counts = new Map<string, number>();
      for (const one of asked) counts.set(one, (counts.get(one) ?? 0) + 1);
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
