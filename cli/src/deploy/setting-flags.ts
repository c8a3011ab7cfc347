import {
  afterResponses,
  driverNames,
  networks,
  onDisconnects,
  scalingLimits,
  settingLimits,
  streamLimits,
} from "@isola/api/limits";
import { integerOption, listOption, pairsOf, textOption } from "../arguments.ts";
import { type Option, type Options, usageFailure } from "../command.ts";

const numberNames = Object.keys(settingLimits) as (keyof typeof settingLimits)[];
/** null, `none` in a flag, is a value of these. */
const nullableLimits = { ...scalingLimits, ...streamLimits };
const nullableNames = Object.keys(nullableLimits) as (keyof typeof nullableLimits)[];

/** Flags of `deploy` that set a setting; those for numbers come from the API's table. */
export const settingOptions: readonly Option[] = [
  {
    flags: "--name <name>",
    help: "of the function; with isola.yaml: only this one of them",
    completes: "function",
  },
  {
    flags: "--runtime <runtime>",
    help: "nodejs, python, or one by its name, as nodejs26",
    completes: "runtime",
  },
  { flags: "--handler <handler>", help: "file.export, as index.handler" },
  { flags: "--route <path>", help: "as /users/:id or /files/*; `none` for the default only" },
  { flags: "--methods <list>", help: "of the route, divided by commas; left out: every method" },
  { flags: "--driver <driver>", help: "isolation technology", completes: driverNames },
  { flags: "--description <text>", help: "for people" },
  { flags: "--label <name=value>", help: "label", isRepeatable: true },
  { flags: "--env <name=value>", help: "environment of the code", isRepeatable: true },
  { flags: "--expose-errors", help: "callers see the function's own error text" },
  ...numberNames.map((name) => ({
    flags: `${flagOf(name)} <n>`,
    help: `${settingLimits[name].least} to ${settingLimits[name].most}, default ${settingLimits[name].default}${name === "idleTimeoutMs" ? ", or auto" : ""}`,
  })),
  ...nullableNames.map((name) => ({
    flags: `${flagOf(name)} <n>`,
    help: `${nullableLimits[name].least} to ${nullableLimits[name].most}, or none, the default`,
  })),
  {
    flags: "--after-response <what>",
    help: `${afterResponses.join(", ")}; default freeze`,
    completes: afterResponses,
  },
  {
    flags: "--build <list>",
    help: "auto; none: take the package as it is; scripts: code of dependencies may run; bundle: one file; or several, divided by commas",
  },
  {
    flags: "--on-disconnect <what>",
    help: `${onDisconnects.join(", ")}; default cancel`,
    completes: onDisconnects,
  },
  { flags: "--network <what>", help: `${networks.join(", ")}; default none`, completes: networks },
];

/** Members of the API's `CreateFunction` that flags name. */
export function settingsOfFlags(options: Options): Record<string, unknown> {
  const settings: Record<string, unknown> = {};
  const textNames = [
    "runtime",
    "handler",
    "driver",
    "description",
    "afterResponse",
    "onDisconnect",
    "network",
  ];
  for (const name of textNames) {
    const text = textOption(options, name);
    if (text !== undefined) settings[name] = text;
  }
  for (const name of nullableNames) {
    const isNone = textOption(options, name) === "none";
    const value = isNone ? null : integerOption(options, name, flagOf(name));
    if (value !== undefined) settings[name] = value;
  }
  for (const name of numberNames) {
    const attribute = attributeOf(flagOf(name));
    const isAuto = name === "idleTimeoutMs" && textOption(options, attribute) === "auto";
    const value = isAuto ? "auto" : integerOption(options, attribute, flagOf(name));
    if (value !== undefined) settings[name] = value;
  }
  const route = textOption(options, "route");
  const methods = textOption(options, "methods")
    ?.split(",")
    .map((method) => method.trim());
  if (methods && !route) throw usageFailure("--methods belongs to a --route");
  if (route) settings.route = route === "none" ? null : { methods: methods ?? [], path: route };
  const env = listOption(options, "env");
  if (env.length > 0) settings.env = pairsOf(env, "--env");
  const labels = listOption(options, "label");
  if (labels.length > 0) settings.labels = pairsOf(labels, "--label");
  const build = textOption(options, "build");
  if (build !== undefined) settings.build = buildOf(build);
  if (options.exposeErrors === true) settings.exposeErrors = true;
  return settings;
}

/** `scripts,bundle` -> the setting. */
function buildOf(text: string): Record<string, unknown> {
  const words = text.split(",").map((word) => word.trim());
  const known = ["auto", "none", "scripts", "bundle"];
  const wrong = words.find((word) => !known.includes(word));
  if (wrong !== undefined)
    throw usageFailure(`--build takes ${known.join(", ")}, divided by commas; given: ${wrong}`);
  return {
    dependencies: words.includes("none") ? "none" : "auto",
    scripts: words.includes("scripts"),
    bundle: words.includes("bundle"),
  };
}

export function flagsOf(settings: Record<string, unknown>): string {
  return Object.keys(settings).map(flagOf).join(", ");
}

/** `memoryMiB` -> `--memory-mib` */
export function flagOf(name: string): string {
  const words = name.replace("MiB", "Mib").split(/(?=[A-Z])/);
  return `--${words.map((word) => word.toLowerCase()).join("-")}`;
}

/** `--memory-mib` -> `memoryMib`, the member of `Options`. */
function attributeOf(flag: string): string {
  return flag.slice(2).replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
