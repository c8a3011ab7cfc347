import type { DeployedFunction } from "../domain/function.ts";
import { DEFAULT_PROJECT } from "../domain/project.ts";
import { allMethods } from "../domain/route-tree.ts";
import { IsolaError } from "../errors.ts";
import type { FunctionKey } from "../link/messages.ts";
import type { Pools } from "../pool/pools.ts";
import type { RevisionPool } from "../pool/revision-pool.ts";
import { type Admission, CallCount } from "./admission.ts";
import { type PlaceInProject, ProjectRoutes, placeOf } from "./project-routes.ts";

/** Gives the pools of one function while it is debugged. */
export interface PoolSource {
  /** Of a revision, in the place of the one it gave before. Throws `driver_unavailable`. */
  open(fn: DeployedFunction): RevisionPool;
  /** The function was deleted. */
  onRemoved(): void;
}

/** A function as the gateway routes to it. Small while it is not called: its pool is made by the first call. */
export class FunctionEntry extends CallCount {
  fn: DeployedFunction;
  pool: RevisionPool | null = null;
  /** null: nobody debugs it. */
  source: PoolSource | null = null;

  constructor(fn: DeployedFunction) {
    super();
    this.fn = fn;
  }
}

/** Where a request goes, and how the function sees its path. */
export interface Destination {
  entry: FunctionEntry;
  /** Taken off the path: "" or "/name", after the one of a project. */
  prefix: string;
  /** Raw path without prefix and query. */
  path: string;
  routeKey: string;
  /** Raw, `id=7&rest=a/b`. */
  pathParameters: string;
  /** The body is an event and no HTTP request; never for callers. Left out: false. */
  isEvent?: boolean;
}

/** The deployed functions and their routes, replaced and changed by the control plane. */
export class FunctionTable {
  readonly #pools: Pools;
  #entries = new Map<string, FunctionEntry>();
  readonly #routes = new ProjectRoutes<FunctionEntry>();
  #reset: Map<string, DeployedFunction> | null = null;
  #isReady = false;
  readonly #admission: Admission;
  readonly #onProblem: (message: string) => void;

  constructor(pools: Pools, admission: Admission, onProblem: (message: string) => void) {
    this.#pools = pools;
    this.#admission = admission;
    this.#onProblem = onProblem;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(project: string, name: string): FunctionEntry | null {
    this.#assertReady();
    return this.#entries.get(keyOf(project, name)) ?? null;
  }

  /** The pool of the function's current revision. Throws `driver_unavailable`. */
  poolOf(entry: FunctionEntry): RevisionPool {
    entry.pool ??= entry.source?.open(entry.fn) ?? this.#pools.open(entry.fn);
    return entry.pool;
  }

  /** From now on `source` gives the function's pools, or null: nobody but the pools. Calls that wait go on with it; those under way finish where they are. */
  setSource(entry: FunctionEntry, source: PoolSource | null): void {
    entry.source = source;
    const old = entry.pool;
    entry.pool = null;
    const isDeployed = this.#entries.get(keyOf(entry.fn.project, entry.fn.name)) === entry;
    if (old !== null && isDeployed) this.#replacePool(entry, old);
    else if (isDeployed && source !== null) this.poolOf(entry);
    if (isDeployed && source === null) this.#keepMinimum(entry);
  }

  /** Takes the whole table in parts; in force with the last. Functions that did not change keep their sandboxes. */
  reset(functions: DeployedFunction[], isFirst: boolean, isLast: boolean): void {
    if (isFirst) this.#reset = new Map();
    for (const fn of functions) this.#reset?.set(keyOf(fn.project, fn.name), fn);
    if (!isLast || this.#reset === null) return;
    const next = this.#reset;
    this.#reset = null;
    this.#isReady = true;
    for (const { fn } of [...this.#entries.values()])
      if (!next.has(keyOf(fn.project, fn.name))) this.remove(fn);
    for (const fn of next.values()) this.upsert(fn);
  }

  upsert(fn: DeployedFunction): void {
    const key = keyOf(fn.project, fn.name);
    const entry = this.#entries.get(key);
    if (entry === undefined) {
      const added = new FunctionEntry(fn);
      this.#entries.set(key, added);
      this.#route(added);
      this.#reserve(added);
      this.#keepMinimum(added);
      return;
    }
    const before = entry.fn;
    if (before.functionId === fn.functionId && before.revision === fn.revision) return;
    this.#unroute(entry);
    entry.fn = fn;
    this.#route(entry);
    this.#reserve(entry);
    const old = entry.pool;
    entry.pool = null;
    if (old !== null) this.#replacePool(entry, old);
    this.#keepMinimum(entry);
  }

  remove({ project, name }: FunctionKey): void {
    const entry = this.#entries.get(keyOf(project, name));
    if (entry === undefined) return;
    this.#entries.delete(keyOf(project, name));
    this.#unroute(entry);
    this.#admission.reserve(entry, null);
    if (entry.pool !== null) this.#pools.remove(entry.pool);
    entry.source?.onRemoved();
  }

  /** Throws `bad_path`, `route_not_found`, `method_not_allowed`, or `not_ready` before the first `reset`. */
  find(method: string, path: string): Destination {
    this.#assertReady();
    const problem = pathProblem(path);
    if (problem !== null) throw new IsolaError("bad_path", `the path holds ${problem}`);
    const place = placeOf(path);
    const router = this.#routes.of(place.project);
    const match = router?.find(method, place.path);
    if (match)
      return {
        entry: match.target,
        prefix: place.prefix,
        path: place.path,
        routeKey: `${method} ${match.route}`,
        pathParameters: encodeParams(match.params),
      };
    const allowed = router?.methodsFor(place.path) ?? [];
    if (allowed.length > 0)
      throw new IsolaError(
        "method_not_allowed",
        `${path} answers ${allowed.join(", ")}, not ${method}`,
      );
    return this.#findDefault(method, path, place);
  }

  #assertReady(): void {
    if (!this.#isReady)
      throw new IsolaError(
        "not_ready",
        "the gateway does not know its functions yet; retry in a moment",
      );
  }

  /** Methods that some function answers on this path; for `Allow`. */
  methodsFor(path: string): string[] {
    if (pathProblem(path) !== null) return [...allMethods];
    const place = placeOf(path);
    const explicit = this.#routes.of(place.project)?.methodsFor(place.path) ?? [];
    return explicit.length > 0 ? explicit : [...allMethods];
  }

  #findDefault(method: string, asked: string, place: PlaceInProject): Destination {
    const { project, prefix, path } = place;
    const end = path.indexOf("/", 1);
    const name = end === -1 ? path.slice(1) : path.slice(1, end);
    const entry = this.#entries.get(keyOf(project, name));
    if (entry === undefined)
      throw new IsolaError("route_not_found", `no function answers ${method} ${asked}`);
    return {
      entry,
      prefix: prefix + (end === -1 ? path : path.slice(0, end)),
      path: end === -1 ? "/" : path.slice(end),
      routeKey: "$default",
      pathParameters: "",
    };
  }

  #route(entry: FunctionEntry): void {
    const { route } = entry.fn.settings;
    if (route !== null) this.#routes.add(entry.fn.project, route, entry);
  }

  #unroute(entry: FunctionEntry): void {
    const { route } = entry.fn.settings;
    if (route !== null) this.#routes.remove(entry.fn.project, route, entry);
  }

  #reserve(entry: FunctionEntry): void {
    const { reservedConcurrency } = entry.fn.settings;
    if (reservedConcurrency === entry.reserved) return;
    if (!this.#admission.reserve(entry, reservedConcurrency))
      this.#onProblem(
        `with ${entry.fn.name} functions reserve more calls at once than invocationsMax: not all of them will have theirs`,
      );
  }

  #replacePool(entry: FunctionEntry, old: RevisionPool): void {
    try {
      this.#pools.replace(old, this.poolOf(entry));
    } catch (error) {
      this.#pools.remove(old, error instanceof IsolaError ? error : undefined);
      this.#onProblem(
        `${entry.fn.name} revision ${entry.fn.revision} cannot run: ${String(error)}`,
      );
    }
  }

  #keepMinimum(entry: FunctionEntry): void {
    if (entry.fn.settings.minSandboxes === 0) return;
    try {
      this.poolOf(entry);
    } catch (error) {
      this.#onProblem(`${entry.fn.name} cannot be kept ready: ${String(error)}`);
    }
  }
}

function keyOf(project: string, name: string): string {
  return project === DEFAULT_PROJECT ? name : `${project}/${name}`;
}

/** What a path holds that cannot be routed; null: nothing. */
function pathProblem(path: string): string | null {
  const isEscaped = path.includes("%");
  const escapes = isEscaped ? escapesProblem(path) : null;
  if (escapes !== null) return escapes;
  // Whoever reads `.` and `..` as folders, before us or behind, would see another path than the one that is routed.
  if ((isEscaped || path.includes("/.")) && /\/(?:\.|%2e){1,2}(?:\/|$)/i.test(path))
    return "a segment that is . or ..";
  return path.includes("\\") ? "a backslash" : null;
}

/** Escapes that would change what a segment is, or are none. */
function escapesProblem(path: string): string | null {
  if (/%(?:2f|5c|00)/i.test(path)) return "%2f, %5c or %00, which cannot be routed";
  if (/%(?![0-9a-f]{2})/i.test(path)) return "a percent sign that is not an escape";
  try {
    decodeURIComponent(path);
    return null;
  } catch {
    return "escapes that are not UTF-8";
  }
}

function encodeParams(params: Record<string, string>): string {
  let text = "";
  for (const name in params) {
    const separator = text === "" ? "" : "&";
    text += `${separator}${encodeURIComponent(name)}=${encodeURIComponent(params[name] ?? "")}`;
  }
  return text;
}
