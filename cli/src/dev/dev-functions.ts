import { ApiError, type Client } from "@isola/api/client";
import { Failure } from "../command.ts";
import { type Deployed, applyPlan } from "../deploy/apply.ts";
import type { Definition } from "../deploy/definition.ts";
import { fingerprint, readPackageFiles } from "../deploy/package-files.ts";
import { type KnownCode, planOfFiles } from "../deploy/plan.ts";
import { inPlaces } from "../explain-failure.ts";

/** What was last tried with one function. */
interface Tried {
  /** Of the files. */
  fingerprint: string;
  /** As JSON. */
  settings: string;
  /** null: it failed. */
  deployed: KnownCode | null;
}

/** What became of one function after a save. */
export type Outcome =
  /** Neither files nor settings are other than at the last try. */
  | { kind: "same" }
  | { kind: "deployed"; deployed: Deployed }
  | { kind: "failed"; error: ApiError | Failure };

/** Deploys functions whose files or settings are other than at the last try, without a look at their live code; what failed is tried again when it was saved again. */
export class DevFunctions {
  readonly #client: Client;
  readonly #isNear: boolean;
  readonly #tried = new Map<string, Tried>();
  /** Those that were not there before. */
  readonly created = new Set<string>();

  /** `isNear`: the server is on this machine. */
  constructor(client: Client, isNear: boolean) {
    this.#client = client;
    this.#isNear = isNear;
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
    const { name } = definition;
    try {
      const files = readPackageFiles(definition.codeDir);
      const now = {
        fingerprint: fingerprint(files),
        settings: JSON.stringify(definition.settings),
      };
      const before = this.#tried.get(name);
      const isSame = before?.fingerprint === now.fingerprint && before.settings === now.settings;
      if (isSame) return { kind: "same" };
      this.#tried.set(name, { ...now, deployed: null });
      const known = before?.deployed ?? null;
      const plan = await planOfFiles(this.#client, definition, files, known);
      const deployed = await applyPlan(this.#client, plan, {
        signal,
        onOutput,
        isNear: this.#isNear,
      });
      const { revision } = deployed;
      this.#tried.set(name, { ...now, deployed: { revision, fingerprint: now.fingerprint } });
      if (deployed.action === "created") this.created.add(name);
      return { kind: "deployed", deployed };
    } catch (error) {
      if (signal.aborted) throw error;
      return { kind: "failed", error: this.#failure(definition, error) };
    }
  }

  /** Removes one that was created here; false: it was not, and stays. */
  async remove(name: string, signal: AbortSignal): Promise<boolean> {
    this.#tried.delete(name);
    if (!this.created.delete(name)) return false;
    await this.#client.deleteFunction(name, { signal }).catch((error: unknown) => {
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
