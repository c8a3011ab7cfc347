import { IsolaError } from "../errors.ts";
import type { Page } from "../store/page.ts";
import type { KeyRow } from "../store/store.ts";

/** Newest first. The cursor names the last key of the page before, and holds also when keys are added meanwhile. Throws `invalid_request`. */
export function pageOfKeys(
  keys: readonly KeyRow[],
  asked: { cursor?: string; limit: number },
): Page<KeyRow> {
  const sorted = keys.toSorted((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? -1 : 1));
  const before = asked.cursor === undefined ? -1 : positionOf(sorted, asked.cursor);
  const items = sorted.slice(before + 1, before + 1 + asked.limit);
  const isLast = before + 1 + items.length >= sorted.length;
  return { items, nextCursor: isLast ? null : (items.at(-1)?.id ?? null) };
}

function positionOf(sorted: readonly KeyRow[], cursor: string): number {
  const at = sorted.findIndex((key) => key.id === cursor);
  if (at !== -1) return at;
  const details = [{ path: "query.cursor", expected: "nextCursor of a page", given: "another" }];
  throw new IsolaError("invalid_request", "query.cursor: expected nextCursor of a page", {
    details,
  });
}
