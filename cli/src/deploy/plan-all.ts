import { ApiError, type Client } from "@isola/client";
import { APP_LABEL } from "@isola/api/definition-file";
import { Failure, usageFailure } from "../command.ts";
import { inPlaces } from "../explain-failure.ts";
import { collectPages } from "../pages.ts";
import type { Definition, Definitions } from "./definition.ts";
import { inParallel } from "./in-parallel.ts";
import { type PackageMark, markFolder } from "./package-digest.ts";
import { type Plan, planOf, planOfDelete } from "./plan.ts";

const READS_AT_ONCE = 8;

export interface PlanOptions {
  adopts: boolean;
  /** Functions of the application that the file does not name are deleted. */
  prunes: boolean;
}

/** One plan for each definition, in their order, then the deletes. */
export async function planAll(
  client: Client,
  all: Definitions,
  { adopts, prunes }: PlanOptions,
): Promise<Plan[]> {
  const { app, names, definitions } = all;
  if (prunes && typeof app !== "string") throw usageFailure(notPruned);
  const marks = new Map<string, Promise<PackageMark>>();
  const mark = (dir: string) => {
    const known = marks.get(dir) ?? markFolder(dir);
    marks.set(dir, known);
    return known;
  };
  const foreign: string[] = [];
  const planned = await inParallel(definitions, READS_AT_ONCE, async (definition) => {
    try {
      return await inItsPlaces(definition, planOf(definition, { client, adopts, mark }));
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      foreign.push(error.message);
      if (error.exitCode !== 1 || definitions.length === 1) throw error;
      return null;
    }
  });
  if (foreign.length > 0) throw new Failure(foreign.join("\n  "));
  const plans = planned.filter((plan) => plan !== null);
  if (!prunes) return plans;
  const label = [`${APP_LABEL}=${app}`];
  const owned = await collectPages((page) => client.listFunctions({ label, ...page }));
  return [...plans, ...owned.filter(({ name }) => !names.includes(name)).map(planOfDelete)];
}

const notPruned =
  "--prune deletes the functions of an application that its file does not name any more, and here no application is named: give the isola.yaml a `name`";

/** What the server finds wrong is said in the words of the definition. */
export async function inItsPlaces<T>(definition: Definition, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    throw inPlaces(error, (path) => definition.placeOf(path));
  }
}
