/** What a series says of a function: its names, or those of all that have no place. */
export interface FunctionLabels {
  project: string;
  function: string;
}

/** A function can be called `other`; its project has a name then. */
export const others: FunctionLabels = { project: "", function: "other" };

/**
 * Which functions have labels of their own: the first that are put, up to `max`, for as long as the control plane runs, so that no series ever goes from one set of labels to another. Put them
 * in the order in which they were created, then those that have a place have it after the next start too.
 */
export class FunctionPlaces {
  readonly max: number;
  readonly #byKey = new Map<string, FunctionLabels>();

  constructor(max: number) {
    this.max = max;
  }

  get size(): number {
    return this.#byKey.size;
  }

  put(project: string, name: string): void {
    if (this.#byKey.size >= this.max) return;
    const key = keyOf(project, name);
    if (!this.#byKey.has(key)) this.#byKey.set(key, { project, function: name });
  }

  /** The same object each time. */
  labelsOf(project: string, name: string): FunctionLabels {
    return this.#byKey.get(keyOf(project, name)) ?? others;
  }
}

function keyOf(project: string, name: string): string {
  return `${project.length} ${project}${name}`;
}
