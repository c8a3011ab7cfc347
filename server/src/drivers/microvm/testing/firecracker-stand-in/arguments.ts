/** What an argument of a program is: with a value or without, and whether it may come more than once. */
export type Known = Record<string, "flag" | "value" | "values">;

export interface Given {
  flags: ReadonlySet<string>;
  /** By name, in order. */
  values: ReadonlyMap<string, string[]>;
  /** Behind `--`. */
  rest: string[];
}

/** The rules of Firecracker's and the jailer's parser: every name is known, once unless it may be repeated, and what stands behind `--` is somebody else's. Throws with its words. */
export function parseArguments(args: readonly string[], known: Known): Given {
  const end = args.includes("--") ? args.indexOf("--") : args.length;
  const flags = new Set<string>();
  const values = new Map<string, string[]>();
  for (let at = 0; at < end; at += 1) {
    const arg = args[at] as string;
    const name = arg.slice(2);
    const kind = arg.startsWith("--") ? known[name] : undefined;
    if (kind === undefined)
      throw new Error(
        `Found argument '${name}' which wasn't expected, or isn't valid in this context.`,
      );
    if (kind !== "values" && (flags.has(name) || values.has(name)))
      throw new Error(`The argument '${name}' was provided more than once.`);
    if (kind === "flag") {
      flags.add(name);
      continue;
    }
    at += 1;
    const value = at < end ? args[at] : undefined;
    if (value === undefined || value.startsWith("--"))
      throw new Error(`The argument '${name}' requires a value, but none was supplied.`);
    values.set(name, [...(values.get(name) ?? []), value]);
  }
  return { flags, values, rest: args.slice(end + 1) };
}

export function required({ values }: Given, name: string): string {
  const value = values.get(name)?.[0];
  if (value === undefined) throw new Error(`Argument '${name}' required, but not found.`);
  return value;
}

/** Letters, digits and `-`, at most 64. */
export function checkId(id: string): void {
  if (id.length < 1 || id.length > 64)
    throw new Error(`Invalid len (${id.length});  the length must be between 1 and 64`);
  const at = id.search(/[^\p{L}\p{N}-]/u);
  if (at !== -1) throw new Error(`Invalid char (${id[at]}) at position ${at}`);
}
