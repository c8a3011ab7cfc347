import { join } from "node:path";
import { ApiError, type Client } from "@isola/client";
import type { Warmed } from "@isola/api/invocations";
import { Failure } from "../command.ts";
import type { Deployed } from "../deploy/apply.ts";
import { DEFINITION_FILE, type Definition, type Definitions } from "../deploy/definition.ts";
import { Burst } from "./burst.ts";
import type { DevEvent, ErrorEvent } from "./dev-events.ts";
import { DevFunctions, type Outcome, isPassing } from "./dev-functions.ts";
import { follow } from "./feeds.ts";
import { SourcePlaces, isForeignFrame } from "./source-places.ts";
import { SourceWatch } from "./source-watch.ts";
import { syntaxFault } from "./syntax-place.ts";

/** Functions deployed at the same time. */
const AT_ONCE = 4;

export interface DevOptions {
  client: Client;
  /** The server is on this machine. */
  isNear: boolean;
  /** Functions of other applications may be taken over. */
  adopts: boolean;
  /** Of isola.yaml, or the function's own. */
  folder: string;
  /** Places of code are told relative to it. */
  cwd: string;
  /** Reads isola.yaml. Throws what is wrong with it. */
  read(): Definitions;
  tell(event: DevEvent): void;
  /** Follows each deploy of a function. Given up when the function is deployed again. */
  afterDeploy?: readonly AfterDeploy[];
  signal: AbortSignal;
}

export interface DeployedNow {
  definition: Definition;
  deployed: Deployed;
  /** Monotonic ms: when it was saved. */
  savedAt: number;
}

export type AfterDeploy = (now: DeployedNow, signal: AbortSignal) => Promise<void>;

/**
 * Keeps a server at what a folder holds: deploys what was saved, has it load its code, and tells what it writes, who calls it and what is wrong with it. What is wrong leaves the last
 * good in place. Life: `made -> running -> closed`.
 */
export class DevSession {
  readonly #options: DevOptions;
  readonly #functions: DevFunctions;
  readonly #watch: SourceWatch;
  readonly #burst: Burst;
  #definitions: readonly Definition[] = [];
  readonly #places = new Map<string, SourcePlaces>();
  readonly #seen = new Set<string>();
  /** What still follows the last deploy of a function. */
  readonly #after = new Map<string, AbortController>();
  #problem = "";

  constructor(options: DevOptions) {
    this.#options = options;
    this.#functions = new DevFunctions(options);
    this.#burst = new Burst((savedAt) => this.#update(savedAt));
    this.#watch = new SourceWatch(
      () => this.#burst.note(),
      (problem) => this.#tellError(null, "definition", problem),
    );
  }

  /** Created in this run, and not removed. */
  get created(): ReadonlySet<string> {
    return this.#functions.created;
  }

  /** Runs until `signal`. Rejects with what the server refuses for good. */
  async run(): Promise<void> {
    const { client, signal, tell } = this.#options;
    try {
      this.#look([], []);
      this.#burst.note();
      await follow({
        ...{ client, signal },
        onLog: (line) => {
          const places = this.#places.get(line.functionName);
          if (places === undefined) return;
          const { at, level, stream, revision, invocationId, text } = line;
          if (isForeignFrame(text)) return;
          const said = { at, level, stream, revision, invocationId, text: places.line(text) };
          tell({ event: "log", function: line.functionName, ...said });
        },
        onCall: ({ functionName, ...call }) => {
          if (!this.#places.has(functionName)) return;
          const { id, revision, method, path, status, outcome, errorCode } = call;
          const { startKind, sandboxId, startedAt, totalMs, runMs } = call;
          const answer = { id, revision, method, path, status, outcome, errorCode };
          const run = { startKind, sandboxId, startedAt, totalMs, runMs };
          tell({ event: "call", function: functionName, ...answer, ...run });
        },
        onMissed: (what) => this.#note(`more ${what} than are shown`),
        onThere: (isThere) => this.#onThere(isThere),
      });
    } finally {
      this.#watch.close();
      for (const after of this.#after.values()) after.abort();
      await this.#burst.close();
    }
  }

  #note(text: string): void {
    this.#options.tell({ event: "note", text });
  }

  #onThere(isThere: boolean): void {
    if (!isThere) return this.#note("the server does not answer; waiting for it ...");
    this.#note("the server answers again");
    this.#functions.forget();
    this.#burst.note();
  }

  /** Must not reject: nobody hears it. */
  async #update(savedAt: number): Promise<void> {
    const { signal } = this.#options;
    const definitions = this.#read();
    try {
      if (definitions !== null) await this.#removeOthers(definitions);
      const rest = [...(definitions ?? this.#definitions)];
      const work = async () => {
        for (let next = rest.shift(); next !== undefined; next = rest.shift())
          await this.#updateOne(next, savedAt);
      };
      await Promise.all(Array.from({ length: AT_ONCE }, work));
    } catch (error) {
      if (signal.aborted) return;
      this.#tellError(null, "server", error as Error);
    }
  }

  /** null: what is there cannot be used, and that was told. */
  #read(): readonly Definition[] | null {
    try {
      const { definitions, files } = this.#options.read();
      this.#look(definitions, files);
      if (this.#problem !== "") this.#note(`${DEFINITION_FILE} is in order again`);
      this.#problem = "";
      this.#definitions = definitions;
      for (const { name, codeDir } of definitions)
        this.#places.set(name, new SourcePlaces(codeDir, this.#options.cwd));
      return definitions;
    } catch (error) {
      const { message } = error as Error;
      // Told once, and not at every save of something else.
      if (message !== this.#problem) this.#tellError(null, "definition", error as Error);
      this.#problem = message;
      return null;
    }
  }

  #look(definitions: readonly Definition[], files: readonly string[]): void {
    const folders = definitions.map(({ codeDir }) => codeDir);
    const own = join(this.#options.folder, DEFINITION_FILE);
    this.#watch.look({ folders, files: [own, ...files] });
  }

  async #removeOthers(definitions: readonly Definition[]): Promise<void> {
    const names = new Set(definitions.map(({ name }) => name));
    for (const name of this.#seen) {
      if (names.has(name)) continue;
      this.#seen.delete(name);
      this.#after.get(name)?.abort();
      const isRemoved = await this.#functions.remove(name, this.#options.signal);
      this.#places.delete(name);
      if (isRemoved) this.#options.tell({ event: "removed", function: name });
      else this.#note(`${name} is not in ${DEFINITION_FILE} any more, and stays deployed`);
    }
  }

  async #updateOne(definition: Definition, savedAt: number): Promise<void> {
    const { signal, tell } = this.#options;
    const { name } = definition;
    const outcome: Outcome = await this.#functions.deploy(definition, signal, (text) =>
      tell({ event: "build", function: name, text }),
    );
    if (outcome.kind === "same") return;
    if (outcome.kind === "failed") {
      const { error } = outcome;
      const isBuild = error instanceof ApiError && error.code === "build_failed";
      return this.#tellError(name, isBuild ? "build" : "deploy", error);
    }
    const { deployed } = outcome;
    const { action, revision, url } = deployed;
    const isFirst = !this.#seen.has(name);
    this.#seen.add(name);
    const ms = performance.now() - savedAt;
    tell({ event: "deployed", function: name, action, revision, url, ms, isFirst });
    this.#follow({ definition, deployed, savedAt });
  }

  /** Not waited for: code that takes long to load holds no other save up. */
  #follow(now: DeployedNow): void {
    const { name } = now.definition;
    this.#after.get(name)?.abort();
    const after = new AbortController();
    this.#after.set(name, after);
    const signal = AbortSignal.any([after.signal, this.#options.signal]);
    const steps = [
      (one: DeployedNow) => this.#warm(one, signal),
      ...(this.#options.afterDeploy ?? []),
    ];
    for (const step of steps)
      step(now, signal).catch((error: unknown) => {
        if (!signal.aborted) this.#tellError(name, "server", error as Error);
      });
  }

  async #warm({ definition, savedAt }: DeployedNow, signal: AbortSignal): Promise<void> {
    const { client, tell } = this.#options;
    const { name } = definition;
    const warmed = await client.warm(name, { signal });
    const { revision, startKind, sandboxId, error } = warmed;
    if (error !== null) return this.#tellInit(definition, error, signal);
    const ms = performance.now() - savedAt;
    tell({ event: "ready", function: name, revision, startKind, sandboxId, ms });
  }

  async #tellInit(
    { name, codeDir }: Definition,
    { code, message, type, stack }: NonNullable<Warmed["error"]>,
    signal: AbortSignal,
  ): Promise<void> {
    const { cwd, tell } = this.#options;
    const places = new SourcePlaces(codeDir, cwd);
    let at = stack === null ? null : places.placeIn(stack);
    let lines = stack === null ? [] : places.stack(stack);
    if (at === null && type === "SyntaxError") {
      const fault = await syntaxFault(codeDir, cwd, signal);
      if (fault !== null) [at, lines] = [fault.at, fault.lines];
    }
    if (signal.aborted) return;
    tell({ event: "error", function: name, phase: "init", code, message, at, stack: lines });
  }

  #tellError(name: string | null, phase: ErrorEvent["phase"], error: Error): void {
    const isExpected = error instanceof ApiError || error instanceof Failure || "syscall" in error;
    if (!isExpected) throw error;
    const code = error instanceof ApiError ? error.code : "failed";
    const { message } = error;
    const isAway = error instanceof ApiError && isPassing(error);
    const text = isAway ? `${message}; tried again with the next save` : message;
    const told = { phase, code, message: text, at: null, stack: [] };
    this.#options.tell({ event: "error", function: name, ...told });
  }
}
