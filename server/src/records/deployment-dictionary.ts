import type { InvocationRecord } from "../domain/invocation.ts";

/** What was run: the same in the records of many invocations. */
export type Deployment = Pick<
  InvocationRecord,
  "project" | "functionName" | "functionId" | "revision" | "driver" | "runtime" | "memoryMiB"
>;

/** The deployments of one chunk, each once. */
export class DeploymentDictionary {
  readonly deployments: Deployment[] = [];
  /** By function; more than one only where a function was deployed again meanwhile. */
  readonly #places = new Map<string, number[]>();
  #last: Deployment | null = null;
  #lastPlace = 0;

  placeOf(record: Deployment): number {
    if (this.#last === null || !isSame(this.#last, record)) {
      this.#lastPlace = this.#find(record);
      this.#last = this.deployments[this.#lastPlace] as Deployment;
    }
    return this.#lastPlace;
  }

  #find(record: Deployment): number {
    const places = this.#places.get(record.functionId);
    if (places === undefined) {
      const place = this.#append(record);
      this.#places.set(record.functionId, [place]);
      return place;
    }
    for (const place of places)
      if (isSame(this.deployments[place] as Deployment, record)) return place;
    const place = this.#append(record);
    places.push(place);
    return place;
  }

  #append(record: Deployment): number {
    const { project, functionName, functionId, revision, driver, runtime, memoryMiB } = record;
    this.deployments.push({
      ...{ project, functionName, functionId, revision },
      ...{ driver, runtime, memoryMiB },
    });
    return this.deployments.length - 1;
  }
}

function isSame(a: Deployment, b: Deployment): boolean {
  return (
    a.functionId === b.functionId &&
    a.revision === b.revision &&
    a.functionName === b.functionName &&
    a.project === b.project &&
    a.driver === b.driver &&
    a.runtime === b.runtime &&
    a.memoryMiB === b.memoryMiB
  );
}
