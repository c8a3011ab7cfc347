import type { Client } from "@isola/client";
import { debugFunction, usualPorts } from "../debug/debug-function.ts";
import { type Definition, guessRuntime } from "../deploy/definition.ts";
import type { DevEvent } from "./dev-events.ts";
import type { AfterDeploy } from "./dev-session.ts";
import { isFree } from "./own-server.ts";

export interface InspectedFunctionsOptions {
  client: Client;
  tell(event: DevEvent): void;
  signal: AbortSignal;
}

/** A debug session for each function, from its first deploy until `signal`: it moves on with each revision. One that ends early is opened again by the next deploy. */
export class InspectedFunctions {
  readonly #options: InspectedFunctionsOptions;
  readonly #open = new Set<string>();
  /** Usual ports that this run has taken. */
  readonly #taken = new Set<number>();

  constructor(options: InspectedFunctionsOptions) {
    this.#options = options;
  }

  readonly afterDeploy: AfterDeploy = async ({ definition }) => {
    const { client, tell, signal } = this.#options;
    const { name } = definition;
    if (this.#open.has(name)) return;
    this.#open.add(name);
    const say = (text: string, port: number | null) =>
      tell({ event: "debugger", function: name, text, port });
    const context = {
      client,
      emit: ({ json, text }: { json: unknown; text: string }) =>
        say(text, (json as { port?: number }).port ?? null),
      note: (text: string) => say(text, null),
    };
    const usual = usualPortOf(definition);
    const hasUsual = !this.#taken.has(usual);
    if (hasUsual) this.#taken.add(usual);
    try {
      const port = hasUsual && (await isFree(usual)) ? usual : 0;
      await debugFunction(context, { name, port, waits: false }, signal);
    } finally {
      this.#open.delete(name);
      if (hasUsual) this.#taken.delete(usual);
    }
  };
}

/** Where editors look for a debugger of its language. */
function usualPortOf({ settings, codeDir }: Definition): number {
  const runtime = settings.runtime ?? guessRuntime(codeDir);
  const isPython = typeof runtime === "string" && runtime.startsWith("python");
  return isPython ? usualPorts.debugpy : usualPorts.inspector;
}
