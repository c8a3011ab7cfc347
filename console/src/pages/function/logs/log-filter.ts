import type { AllLogsQuery } from "@isola/api/logs";

/** What a person chose; it stands in the address, so that a view of logs can be shared. */
export interface LogFilter {
  level?: NonNullable<AllLogsQuery["level"]>;
  text?: string;
  invocation?: string;
}

const levels = ["trace", "debug", "info", "warn", "error", "fatal"] as const;

/** Of an address, where anything may stand. */
export function logFilterOf(search: Record<string, unknown>): LogFilter {
  const level = levels.find((each) => each === search.level);
  const text = (name: string) => {
    const value = search[name];
    return typeof value === "string" && value !== "" ? value.slice(0, 200) : undefined;
  };
  const [word, invocation] = [text("text"), text("invocation")];
  return {
    ...(level !== undefined && { level }),
    ...(word !== undefined && { text: word }),
    ...(invocation !== undefined && { invocation }),
  };
}

export const levelChoices = [
  { value: "", label: "all levels" },
  ...levels.map((level) => ({ value: level, label: `${level} and above` })),
];
