/** Exists always, and answers without a prefix. */
export const DEFAULT_PROJECT = "default";

/** Stands before the name of every other project in the paths of its functions. Neither a function's name nor a route may begin with it. */
export const PROJECT_MARK = "~";

/** What precedes the paths on which a project's functions answer: nothing for `default`, else `/~<project>`. */
export function prefixOf(project: string): string {
  return project === DEFAULT_PROJECT ? "" : `/${PROJECT_MARK}${project}`;
}
