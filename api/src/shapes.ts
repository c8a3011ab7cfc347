import Type, { type Static, type TSchema } from "typebox";
import { requestLimits } from "./limits.ts";

/** Building blocks that several resources share. */

/** An object with these members and no others. */
export function closed<P extends Record<string, TSchema>>(properties: P, title?: string) {
  return Type.Object(properties, {
    additionalProperties: false,
    ...(title === undefined ? {} : { title }),
  });
}

/** Text by name. `Type.Record` would leave names with a line feed unchecked. */
export function textByName(description: string, options: { maxProperties?: number } = {}) {
  return Type.Unsafe<Record<string, string>>({
    type: "object",
    additionalProperties: { type: "string" },
    description,
    ...options,
  });
}

export function nullable<T extends TSchema>(schema: T, description?: string) {
  return Type.Union([schema, Type.Null()], description === undefined ? {} : { description });
}

export function oneOf<const V extends readonly string[]>(values: V, description?: string) {
  return Type.Unsafe<V[number]>({
    type: "string",
    enum: [...values],
    ...(description === undefined ? {} : { description }),
  });
}

export function integer(bounds: { least: number; most: number }, description?: string) {
  return Type.Integer({
    minimum: bounds.least,
    maximum: bounds.most,
    ...(description === undefined ? {} : { description }),
  });
}

/** `2026-11-24T10:00:00.000Z` */
export function moment(description: string) {
  return Type.String({ format: "date-time", description });
}

/** Every list: go on with `cursor=<nextCursor>` until that is null. */
export function pageOf<T extends TSchema>(item: T, title: string) {
  return closed({ items: Type.Array(item), nextCursor: nullable(Type.String()) }, title);
}

/** A list that is short, so it comes whole; it has the shape of every list. */
export function wholePageOf<T extends TSchema>(item: T, title: string) {
  return closed({ items: Type.Array(item), nextCursor: Type.Null() }, title);
}

/** A list along time, which may be entered anywhere and read in both directions. */
export function placedPageOf<T extends TSchema>(item: T, title: string) {
  return closed(
    {
      items: Type.Array(item),
      nextCursor: nullable(Type.String(), "For what follows; null at the end"),
      previousCursor: nullable(
        Type.String(),
        "For what lies before the first item, with the other `order`; null where nothing is known of that",
      ),
    },
    title,
  );
}

export function unixMs(description: string) {
  return Type.Optional(integer({ least: 0, most: Number.MAX_SAFE_INTEGER }, description));
}

export const pageMembers = {
  cursor: Type.Optional(
    Type.String({ maxLength: 1024, description: "`nextCursor` of the page before" }),
  ),
  limit: Type.Optional(integer({ least: 1, most: requestLimits.pageItemsMax }, "Items on a page")),
};

export const PageQuery = closed(pageMembers);
export type PageQuery = Static<typeof PageQuery>;

export interface Page<T> {
  items: T[];
  nextCursor: string | null;
}

export interface PlacedPage<T> extends Page<T> {
  previousCursor: string | null;
}
