import type { Readable } from "node:stream";
import { Failure, type Terminal, exitCodes } from "../command.ts";
import { problemOfName } from "./function-name.ts";
import { type Template, languages } from "./templates.ts";

/** What is settled already is not asked. */
export interface Known {
  template?: Template | undefined;
  name?: string | undefined;
}

/** Asks a person for what is not known. Ctrl-C and the end of the input throw a `Failure`. */
export async function askFor(
  { input, output, signal }: Terminal,
  templates: readonly Template[],
  known: Known,
): Promise<{ template: Template; name: string }> {
  const { isCancel, select, text } = await import("@clack/prompts");
  const end = endOf(input);
  const ways = { input, output, signal: AbortSignal.any([signal, end.signal]) };
  const answered = <T>(answer: T): Exclude<T, symbol> => {
    if (isCancel(answer)) throw new Failure("Nothing was written", exitCodes.interrupted);
    return answer as Exclude<T, symbol>;
  };
  const askTemplate = async () => {
    const all = languages.map((value) => ({ value, label: value }));
    const language = answered(await select({ ...ways, message: "Language", options: all }));
    const options = templates
      .filter((each) => each.language === language)
      .map((value) => ({ value, label: value.title, hint: value.description }));
    return answered(await select({ ...ways, message: "What it is", options }));
  };
  const askName = async ({ kind }: Template) => {
    const message = "Name of the function";
    const validate = (given = "") =>
      given === "" ? undefined : (problemOfName(given) ?? undefined);
    const first = { placeholder: kind, defaultValue: kind };
    return answered(await text({ ...ways, ...first, message, validate }));
  };
  try {
    const template = known.template ?? (await askTemplate());
    return { template, name: known.name ?? (await askName(template)) };
  } finally {
    end.release();
  }
}

/** Aborts at Ctrl-D or when nothing comes any more: the library waits on for ever then. */
function endOf(input: Readable): { signal: AbortSignal; release(): void } {
  const ended = new AbortController();
  const end = () => ended.abort();
  const press = (_: unknown, key: { ctrl?: boolean; name?: string } | undefined) => {
    if (key?.ctrl && key.name === "d") end();
  };
  input.on("keypress", press).on("end", end).on("close", end);
  return {
    signal: ended.signal,
    release: () => void input.off("keypress", press).off("end", end).off("close", end),
  };
}
