import { ApiError } from "@isola/api/api-error";
import { keepPreviousData } from "@tanstack/react-query";

/** How often what is shown is asked for again; not while the page is hidden. */
export const REFRESH_MS = 5000;
/** Metrics are counted every ten seconds. */
export const METRICS_REFRESH_MS = 10_000;
/** Of what makes progress. */
export const PROGRESS_MS = 1000;

/** Whether the server may be better off the next time; not where it has said no. */
export function mayPass(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 0 || error.status >= 500);
}

/** Of what is not asked for again by itself: only until it has come. */
export function afterFailure({ state }: { state: { error: unknown } }): number | false {
  return mayPass(state.error) ? REFRESH_MS : false;
}

/** Of what changes seldom: so often, and sooner where it has not come. */
export function every(ms: number): (query: { state: { error: unknown } }) => number {
  return (query) => afterFailure(query) || ms;
}

/** What is shown stays until another range, page or filter has come. */
export const keepsShown = { placeholderData: keepPreviousData } as const;

interface PagedState {
  state: { data?: { pages: readonly unknown[] } | undefined };
}

/** Of a list that is read page by page. While there is one page it is asked for again; who has read on keeps what is there. */
export function pagedEvery(ms: number) {
  const isShort = ({ state }: PagedState) => (state.data?.pages.length ?? 0) <= 1;
  return {
    initialPageParam: null as string | null,
    getNextPageParam: ({ nextCursor }: { nextCursor: string | null }) => nextCursor,
    // Who comes back begins at the first page, instead of asking for all of them again.
    gcTime: 0,
    refetchInterval: (query: PagedState) => (isShort(query) ? ms : (false as const)),
    refetchOnWindowFocus: isShort,
    refetchOnReconnect: isShort,
  };
}

/** `cursor` of a page; the first has none. */
export function cursorOf(pageParam: string | null) {
  return pageParam === null ? {} : { cursor: pageParam };
}
