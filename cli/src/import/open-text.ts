/** A part of a text that is known when it is deployed: a variable of isola.yaml. */
export interface Variable {
  name: string;
  /** What it is where the variable is not set; null: it has to be. */
  fallback: string | null;
}

/** Text that variables are part of. */
export class OpenText {
  readonly parts: readonly (string | Variable)[];

  constructor(parts: readonly (string | Variable)[]) {
    this.parts = parts;
  }

  /** The text with every fallback; null where a variable has none. */
  plain(): string | null {
    let text = "";
    for (const part of this.parts) {
      const known = typeof part === "string" ? part : part.fallback;
      if (known === null) return null;
      text += known;
    }
    return text;
  }

  get variables(): Variable[] {
    return this.parts.filter((part) => typeof part !== "string");
  }
}

/** What nobody knows before it runs at the provider. */
export class Unknown {
  /** As the file has it: `${ssm:/prod/key}`, `!GetAtt Table.Arn`. */
  readonly expression: string;

  constructor(expression: string) {
    this.expression = expression;
  }
}

/** `parts` as one value: text where all of it is known, else open. */
export function joined(parts: readonly (string | Variable)[]): string | OpenText {
  const merged: (string | Variable)[] = [];
  for (const part of parts) {
    const last = merged.at(-1);
    if (typeof part === "string" && typeof last === "string")
      merged[merged.length - 1] = last + part;
    else if (part !== "") merged.push(part);
  }
  if (merged.length === 0) return "";
  const [only] = merged;
  return merged.length === 1 && typeof only === "string" ? only : new OpenText(merged);
}

export function partsOf(value: string | OpenText): readonly (string | Variable)[] {
  return typeof value === "string" ? [value] : value.parts;
}

/** Whether isola.yaml can say it: a default ends at its first `}`, and a `$` before a variable would make it text. */
export function isSayable(value: string | OpenText): boolean {
  return partsOf(value).every((part, at, all) => {
    if (typeof part === "string") return !part.endsWith("$") || typeof all[at + 1] !== "object";
    return part.fallback === null || !part.fallback.includes("}");
  });
}

/** As isola.yaml writes it: `${NAME}`, `${NAME:-fallback}`, `$${` for what is text. */
export function isolaText(value: string | OpenText): string {
  return partsOf(value)
    .map((part) => {
      if (typeof part === "string") return escaped(part);
      return part.fallback === null ? `\${${part.name}}` : `\${${part.name}:-${part.fallback}}`;
    })
    .join("");
}

/** `tableName` -> `TABLE_NAME`: how a variable of the environment is written. */
export function variableName(text: string): string {
  const words = text.replace(/([a-z0-9])([A-Z])/g, "$1_$2").replace(/[^A-Za-z0-9]+/g, "_");
  const name = words.replace(/^_+|_+$/g, "").toUpperCase();
  return /^[A-Z_]/.test(name) ? name : `V_${name}`;
}

/** Text that isola.yaml is not to look for variables in. */
function escaped(text: string): string {
  return text.replaceAll("${", () => "$${");
}
