import type { RevisionSettings } from "../domain/function.ts";
import type { Layer } from "../domain/function.ts";
import { planNode } from "./plan-node.ts";
import { planPython } from "./plan-python.ts";
import type { PackageSources } from "./read-sources.ts";

/** What is to be built of a package. */
export interface BuildPlan {
  family: "nodejs" | "python";
  /** Files at the root of the package that the builder gets, and nothing else; null: it gets the whole package. */
  only: readonly string[] | null;
  /** `build.json` of the builder. */
  order: Record<string, unknown>;
  place: Layer["place"];
  /** Where everything that comes back has to lie. */
  prefix: string;
}

export interface Mirrors {
  npmRegistry: string | null;
  pipIndexUrl: string | null;
}

type Asked = Pick<RevisionSettings, "runtime" | "handler" | "build">;

/** null: the package is taken as it is. Throws `invalid_package` where it asks for what cannot be built, and says what to do. */
export function planBuild(
  sources: PackageSources,
  asked: Asked,
  mirrors: Mirrors,
): BuildPlan | null {
  if (asked.runtime.startsWith("nodejs")) return planNode(sources, asked, mirrors.npmRegistry);
  return planPython(sources, asked.build, mirrors.pipIndexUrl);
}
