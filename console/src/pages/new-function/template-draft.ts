import type { Draft } from "../../settings/draft.ts";
import type { Template } from "./read-templates.ts";

/** The draft with what the template sets; its runtime goes with the code. */
export function withTemplate(draft: Draft, { settings }: Template): Draft {
  const { runtime: _, ...set } = settings;
  return { ...draft, ...set };
}

/** The draft without what the template has set, whatever became of it since. */
export function withoutTemplate(draft: Draft, { settings }: Template): Draft {
  const kept = Object.entries(draft).filter(([name]) => !(name in settings));
  return Object.fromEntries(kept) as Draft;
}
