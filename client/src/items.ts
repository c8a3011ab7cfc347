import type { CallOptions } from "@isola/api/client";
import type { Page } from "@isola/api/shapes";

/** A call that lists: `client.listFunctions`, or `(query) => client.listRevisions("hello", query)`. */
// oxlint-disable-next-line typescript/no-explicit-any -- only so does an arrow function's `query` get a type, and every list's own query fit
export type ListCall = (query: any, options?: CallOptions) => Promise<Page<any>>;

/** What a call lists. */
export type Item<L extends ListCall> = Awaited<ReturnType<L>>["items"][number];

/** Page by page, until there is none or the loop ends. `query.limit` is the number of items on a page. */
export async function* pages<L extends ListCall>(
  list: L,
  query: Parameters<L>[0] = {},
  options: CallOptions = {},
): AsyncGenerator<Item<L>[]> {
  let { cursor }: { cursor?: string } = query;
  do {
    const page = await list(cursor === undefined ? query : { ...query, cursor }, options);
    yield page.items;
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
}

/** Item by item; asks for the next page when the items of one are used up. */
export async function* items<L extends ListCall>(
  list: L,
  query: Parameters<L>[0] = {},
  options: CallOptions = {},
): AsyncGenerator<Item<L>> {
  for await (const page of pages(list, query, options)) yield* page;
}
