import type { DriverName } from "../domain/function.ts";
import { IsolaError } from "../errors.ts";
import type { LiveFunction, Store } from "../store/store.ts";
import { RouteBook } from "./route-book.ts";

/** The driver that is no boundary between tenants. */
const UNBOUNDED: DriverName = "process";

/**
 * What the live revisions of all functions take from others, so that a deploy finds what stands in its way without reading every other one: the control plane is the only one that
 * changes them. Routes are taken within a project alone, as each project has paths of its own. It is told of every commit, before the next one is checked.
 */
export class LiveFunctions {
  readonly #routes = new Map<string, RouteBook>();
  /** Names of functions on the driver `process`, by project. */
  readonly #onProcess = new Map<string, Set<string>>();
  readonly #acceptsProjectsOnProcess: boolean;

  readonly #onPut: (fn: LiveFunction) => void;

  /** `onPut` sees every function, in the order in which they were created, before the first call of it. */
  constructor(acceptsProjectsOnProcess: boolean, onPut: (fn: LiveFunction) => void = () => {}) {
    this.#acceptsProjectsOnProcess = acceptsProjectsOnProcess;
    this.#onPut = onPut;
  }

  /** Rejects with `invalid_settings` where more projects have functions on the driver `process` than the settings accept. */
  static async open(
    store: Pick<Store, "liveFunctions">,
    acceptsProjectsOnProcess: boolean,
    onPut?: (fn: LiveFunction) => void,
  ): Promise<LiveFunctions> {
    const live = new LiveFunctions(acceptsProjectsOnProcess, onPut);
    for (const fn of await store.liveFunctions()) live.put(fn);
    const projects = [...live.#onProcess.keys()].sort();
    if (projects.length > 1 && !acceptsProjectsOnProcess)
      throw new IsolaError(
        "invalid_settings",
        `the projects ${projects.join(", ")} have functions on the driver process, which is no boundary between them: start with acceptProjectsOnProcess, and to do without it give all but one of them another driver then`,
      );
    return live;
  }

  /**
   * Throws `route_conflict`, naming both functions, or `driver_unavailable` where the driver `process` serves another project already. The caller holds off other changes until it
   * has committed.
   */
  check({ project, name, route, driver }: LiveFunction): void {
    this.#routes.get(project)?.check({ name, route });
    if (driver !== UNBOUNDED || this.#acceptsProjectsOnProcess) return;
    const isTaken = [...this.#onProcess.keys()].some((other) => other !== project);
    if (!isTaken) return;
    throw new IsolaError(
      "driver_unavailable",
      `the driver ${UNBOUNDED} serves another project on this server and is no boundary between two: expected docker or gvisor, given ${UNBOUNDED}; the operator may accept it with acceptProjectsOnProcess`,
    );
  }

  /** What has been committed. */
  put(fn: LiveFunction): void {
    const { project, name, route, driver } = fn;
    this.#onPut(fn);
    const routes = this.#routes.get(project) ?? new RouteBook();
    this.#routes.set(project, routes);
    routes.put({ name, route });
    const names = this.#onProcess.get(project) ?? new Set();
    if (driver === UNBOUNDED) this.#onProcess.set(project, names.add(name));
    else this.#leave(project, name);
  }

  delete({ project, name }: Pick<LiveFunction, "project" | "name">): void {
    this.#routes.get(project)?.delete(name);
    this.#leave(project, name);
  }

  #leave(project: string, name: string): void {
    const names = this.#onProcess.get(project);
    names?.delete(name);
    if (names?.size === 0) this.#onProcess.delete(project);
  }
}
