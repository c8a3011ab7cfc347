import { once } from "node:events";
import type { Duplex, Readable } from "node:stream";
import { messageOf } from "../../../errors.ts";
import type { LaunchStreams } from "../../children/launch.ts";
import { textOf } from "./saving.ts";
import type { StartedStandalone } from "./start-standalone.ts";
import type { BegunStandalone } from "./trial.ts";

/** From the start of a template to a snapshot that was seen to go on, on a busy machine. */
export const TEMPLATE_MS_MAX = 120_000;

/** A sandbox of the server's own, in which no code of a tenant ever is. */
export interface Template {
  started: StartedStandalone;
  control: Duplex;
  /** Resolves when something comes from its runtime; rejects when that has ended. */
  said(): Promise<void>;
}

/** Sockets, as those of other sandboxes are: what is restored takes its streams for what they were. */
export async function ownPipes(): Promise<LaunchStreams> {
  return { stdout: "pipe", stderr: "pipe", control: "pipe" };
}

/** Does something with it, and ends it. What it has written is in the message where that fails. */
export async function inTemplate<T>(
  { sandbox, started }: BegunStandalone,
  signal: AbortSignal,
  work: (template: Template) => Promise<T>,
): Promise<T> {
  const { stdout, stderr, stdio } = started.child;
  stdout?.resume();
  const text = textOf(stderr as Readable);
  const control = stdio[3] as Duplex;
  control.on("error", () => {}); // its end says why
  const ended = sandbox.exited.then(() => Promise.reject(new Error("its runtime has ended")));
  ended.catch(() => {}); // not always waited for
  const said = async () => {
    await Promise.race([once(control, "data", { signal }), ended]);
  };
  try {
    return await work({ started, control, said });
  } catch (error) {
    throw new Error(`${messageOf(error)} ${text()}`.trim(), { cause: error });
  } finally {
    await sandbox.destroy("shutdown");
  }
}
