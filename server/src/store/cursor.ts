import { IsolaError } from "../errors.ts";

const CURSOR_CHARS_MAX = 2048;

/** The place after a row in one order: opaque to people, `[order, ...keys]` to us. */
export function encodeCursor(order: string, keys: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify([order, ...keys])).toString("base64url");
}

/** The keys of a cursor that was made for the same order, each of the type named in `shape`; else `invalid_request`. */
export function decodeCursor<const Shape extends readonly ("string" | "number")[]>(
  cursor: string,
  order: string,
  shape: Shape,
): { -readonly [I in keyof Shape]: Shape[I] extends "string" ? string : number } {
  const parts = cursor.length <= CURSOR_CHARS_MAX ? parse(cursor) : null;
  const isRight =
    parts !== null &&
    parts.length === shape.length + 1 &&
    parts[0] === order &&
    shape.every((type, index) => typeof parts[index + 1] === type);
  if (!isRight) {
    throw new IsolaError("invalid_request", "The cursor is not one that this list gave.", {
      details: [
        {
          path: "query.cursor",
          expected: `the nextCursor of an earlier page of the same list with the same order (${order})`,
          given: cursor.slice(0, 100),
        },
      ],
    });
  }
  return parts.slice(1) as never;
}

function parse(cursor: string): unknown[] | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, "base64url").toString("utf8"));
    return Array.isArray(value) ? value : null;
  } catch {
    return null; // not JSON: the caller of this function says what a cursor has to be
  }
}

/** One page of rows read with a limit one above `limit`. */
export function toPage<T>(
  rows: T[],
  limit: number,
  cursorOf: (last: T) => string,
): { items: T[]; nextCursor: string | null } {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, nextCursor: rows.length > limit && last ? cursorOf(last) : null };
}
