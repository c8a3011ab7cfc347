/** How many runs go on, in all and of each project. */
export class RunningCounts {
  readonly #ofProject: Map<string, number>;
  #all = 0;

  constructor(ofProject: ReadonlyMap<string, number> = new Map()) {
    this.#ofProject = new Map(ofProject);
    for (const count of ofProject.values()) this.#all += count;
  }

  copy(): RunningCounts {
    return new RunningCounts(this.#ofProject);
  }

  /**
   * Whether one more of the project may begin: it has no more than what it leaves free. So one that is alone has half of `runsMax`, two have a third each, and what hangs in some
   * leaves room for the others.
   */
  hasRoom(project: string, runsMax: number): boolean {
    return (this.#ofProject.get(project) ?? 0) < runsMax - this.#all;
  }

  add(project: string): void {
    this.#ofProject.set(project, (this.#ofProject.get(project) ?? 0) + 1);
    this.#all += 1;
  }

  remove(project: string): void {
    const count = (this.#ofProject.get(project) ?? 0) - 1;
    if (count > 0) this.#ofProject.set(project, count);
    else this.#ofProject.delete(project);
    this.#all -= 1;
  }
}
