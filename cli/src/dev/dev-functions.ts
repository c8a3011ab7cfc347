import { ApiError, type Client } from "@isola/client";
import { Failure } from "../command.ts";
import { ChangedMeanwhile, type Deployed, applyPlan } from "../deploy/apply.ts";
import type { Definition } from "../deploy/definition.ts";
import { markFolder } from "../deploy/package-digest.ts";
import { planOf } from "../deploy/plan.ts";
import { inPlaces } from "../explain-failure.ts";

/** What was last tried with one function. */
interface Tried {
  /** Of the files. */
  digest: string;
  /** With the application, as JSON. */
  settings: string;
}

/** What became of one function after a save. */
export type Outcome =
  /** Neither files nor settings are other than at the last try. */
  | { kind: "same" }
  | { kind: "deployed"; deployed: Deployed }
  | { kind: "failed"; error: ApiError | Failure };

export interface DevFunctionsOptions {
  client: Client;
  /** The server is on this machine. */
  isNear: boolean;
  /** Functions of other applications may be taken over. */
  adopts: boolean;
}

/** Deploys functions whose files or settings are other than at the last try; what failed is tried again when it was saved again. */
export class DevFunctions {
  readonly #options: DevFunctionsOptions;
  readonly #tried = new Map<string, Tried>();
  /** Those that were not there before. */
  readonly created = new Set<string>();

  constructor(options: DevFunctionsOptions) {
    this.#options = options;
  }

  /** Nothing is known of the server any more: it may be another one. */
  forget(): void {
    this.#tried.clear();
  }

  /** `onOutput` hears a build. Rejects when given up. */
  async deploy(
    definition: Definition,
    signal: AbortSignal,
    onOutput: (text: string) => void,
  ): Promise<Outcome> {
    const { name, codeDir, settings, app = "" } = definition;
    const { client, adopts, isNear } = this.#options;
    try {
      const mark = await markFolder(codeDir);
      const { digest } = mark;
      const now = { digest, settings: JSON.stringify([app, settings]) };
      const before = this.#tried.get(name);
      if (before?.digest === digest && before.settings === now.settings) return { kind: "same" };
      this.#tried.set(name, now);
      const plan = await planOf(definition, { client, adopts, mark: () => Promise.resolve(mark) });
      const deployed = await applyPlan(client, plan, { signal, onOutput, isNear });
      if (deployed.action === "created") this.created.add(name);
      return { kind: "deployed", deployed };
    } catch (error) {
      if (signal.aborted) throw error;
      if (error instanceof ChangedMeanwhile) {
        // It was saved once more, and what that leads to is under way.
        this.#tried.delete(name);
        return { kind: "same" };
      }
      return { kind: "failed", error: this.#failure(definition, error) };
    }
  }

  /** Removes one that was created here; false: it was not, and stays. */
  async remove(name: string, signal: AbortSignal): Promise<boolean> {
    this.#tried.delete(name);
    if (!this.created.delete(name)) return false;
    await this.#options.client.deleteFunction(name, { signal }).catch((error: unknown) => {
      if (!(error instanceof ApiError) || error.status !== 404) throw error;
    });
    return true;
  }

  #failure(definition: Definition, error: unknown): ApiError | Failure {
    if (error instanceof ApiError) {
      // Not the person's doing: the same again may go well.
      if (isPassing(error)) this.#tried.delete(definition.name);
      return inPlaces(error, (path) => definition.placeOf(path));
    }
    if (error instanceof Failure) return error;
    // A file that cannot be read, or has gone while it was.
    if (error instanceof Error && "syscall" in error) return new Failure(error.message);
    throw error;
  }
}

export function isPassing({ status, code }: ApiError): boolean {
  return (
    code === "unreachable" || code === "precondition_failed" || status >= 500 || status === 429
  );
}
