import { type Expression, type SqlBool, sql } from "kysely";

/**
 * What is looked for, without regard to case, in two steps that give the same on every engine: SQL passes over what cannot have it, and `hasText` decides. SQL compares the letters of
 * ASCII alone, of which engines think the same; anything may stand in the place of others.
 */
export function mayContain(column: "text", needle: string): Expression<SqlBool> {
  const pattern = `%${needle
    .toLowerCase()
    .replace(/[\\%_]/g, "\\$&")
    .replace(/[^\u0020-\u007e]+/g, "%")}%`;
  return sql<SqlBool>`lower(${sql.ref(column)}) like ${pattern} escape '\\'`;
}

export function hasText(text: string, needle: string): boolean {
  return text.toLowerCase().includes(needle.toLowerCase());
}
