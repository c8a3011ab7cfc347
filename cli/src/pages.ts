import type { Page } from "@isola/api/shapes";

const PAGE_ITEMS_MAX = 200;

/** The first `itemsMax` items of a list, page by page. */
export async function collectPages<T>(
  read: (page: { cursor?: string; limit: number }) => Promise<Page<T>>,
  itemsMax = Number.POSITIVE_INFINITY,
): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | undefined;
  while (items.length < itemsMax) {
    const limit = Math.min(PAGE_ITEMS_MAX, itemsMax - items.length);
    const page = await read(cursor === undefined ? { limit } : { cursor, limit });
    items.push(...page.items);
    if (page.nextCursor === null) break;
    cursor = page.nextCursor;
  }
  return items;
}
