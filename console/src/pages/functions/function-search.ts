import type { FunctionListQuery } from "@isola/api/functions";

export type FunctionSort = NonNullable<FunctionListQuery["sort"]>;
const sorts: readonly FunctionSort[] = ["name", "-name", "updatedAt", "-updatedAt"];

/** What stands in the address of the list. */
export interface FunctionSearch {
  query?: string;
  /** Left out: by name. */
  sort?: FunctionSort;
}

/** Of an address, where anything may stand. */
export function functionSearchOf(search: Record<string, unknown>): FunctionSearch {
  const sort = sorts.find((each) => each === search.sort && each !== "name");
  const { query } = search;
  return {
    ...(typeof query === "string" && query !== "" && { query: query.slice(0, 200) }),
    ...(sort !== undefined && { sort }),
  };
}
