import { outcomes } from "@isola/api/limits";

/** What stands in the address of the list. */
export interface InvocationSearch {
  outcome?: (typeof outcomes)[number];
  /** Shown in full. */
  id?: string;
}

export function invocationSearchOf(search: Record<string, unknown>): InvocationSearch {
  const outcome = outcomes.find((each) => each === search.outcome);
  return {
    ...(outcome !== undefined && { outcome }),
    ...(typeof search.id === "string" && search.id !== "" && { id: search.id.slice(0, 128) }),
  };
}
