import { defaultHandlers, scalingLimits, settingLimits, streamLimits } from "../domain/limits.ts";
import {
  type RevisionSettings,
  type Route,
  type Schedule,
  laterSettings,
} from "../domain/function.ts";
import type { PatchFunction } from "@isola/api/functions";
import type { GatewayStatus } from "../link/messages.ts";
import type { ErrorDetail } from "../errors.ts";
import { checkNetwork, checkSandboxes, checkTarget } from "./check-function.ts";
import { problem } from "@isola/api/explain";
import { plainCron } from "../schedules/cron.ts";
import { checkDriver, chooseDriver, resolveRuntime } from "./machine-choice.ts";
import { invalidRequest } from "./validation.ts";

type Machine = Pick<GatewayStatus, "drivers" | "runtimes">;
type Numbers = Record<Exclude<keyof typeof settingLimits, "idleTimeoutMs">, number>;
const nullableLimits = { ...scalingLimits, ...streamLimits };
type Nullables = Record<keyof typeof nullableLimits, number | null>;

/**
 * The settings of the next revision: what is given, else what `base` has, else the default. `nodejs` and `python` become the newest installed version here.
 * Throws `invalid_request` and `driver_unavailable`.
 */
export function resolveSettings(
  given: Omit<PatchFunction, "code">,
  base: RevisionSettings | null,
  machine: Machine,
): RevisionSettings {
  const runtime = resolveRuntime(given.runtime ?? base?.runtime ?? "", machine.runtimes);
  const driver = given.driver ?? base?.driver ?? chooseDriver("auto", machine.drivers);
  checkDriver(driver, machine.drivers);
  const settings: RevisionSettings = {
    runtime,
    handler: given.handler ?? handlerFor(runtime, base),
    route: given.route === undefined ? (base?.route ?? null) : routeOf(given.route),
    driver,
    ...numbersOf(given, base),
    idleTimeoutMs:
      given.idleTimeoutMs ?? base?.idleTimeoutMs ?? settingLimits.idleTimeoutMs.default,
    ...nullablesOf(given, base),
    afterResponse: given.afterResponse ?? base?.afterResponse ?? laterSettings.afterResponse,
    onDisconnect: given.onDisconnect ?? base?.onDisconnect ?? laterSettings.onDisconnect,
    network: given.network ?? base?.network ?? laterSettings.network,
    schedules: schedulesOf(given, base),
    build: buildOf(given, base),
    env: given.env ?? base?.env ?? {},
    exposeErrors: given.exposeErrors ?? base?.exposeErrors ?? false,
  };
  const problems = [
    ...checkSandboxes(settings),
    ...checkTarget(settings),
    ...checkNetwork(settings),
    ...checkBuild(settings),
  ];
  if (problems.length > 0) throw invalidRequest(problems);
  return settings;
}

/** Whether the body asks for anything that makes a revision. */
export function changesSettings(given: Omit<PatchFunction, "code">): boolean {
  const { description: _description, labels: _labels, ...settings } = given;
  return Object.keys(settings).length > 0;
}

/** A handler that was the default of the family before follows a change of the family. */
function handlerFor(runtime: string, base: RevisionSettings | null): string {
  const own = defaultHandlers[familyOf(runtime)];
  if (base === null) return own;
  return base.handler === defaultHandlers[familyOf(base.runtime)] ? own : base.handler;
}

function familyOf(runtime: string): keyof typeof defaultHandlers {
  return runtime.startsWith("nodejs") ? "nodejs" : "python";
}

function routeOf(given: NonNullable<PatchFunction["route"]> | null): Route | null {
  if (given === null) return null;
  return { methods: [...new Set(given.methods ?? [])], path: given.path };
}

/** Given as a whole: what is left out has its default. */
function buildOf(given: PatchFunction, base: RevisionSettings | null): RevisionSettings["build"] {
  if (given.build === undefined) return base?.build ?? laterSettings.build;
  return { ...laterSettings.build, ...given.build };
}

/** Given as a whole. Members stand in one order, so that two that are alike are alike as text. */
function schedulesOf(given: PatchFunction, base: RevisionSettings | null): readonly Schedule[] {
  if (given.schedules === undefined) return base?.schedules ?? laterSettings.schedules;
  return given.schedules.map(({ name, cron, timeZone = "UTC", enabled = true, event }) => ({
    ...{ name, cron: plainCron(cron), timeZone, enabled },
    ...(event !== undefined && { event }),
  }));
}

function checkBuild({ runtime, build }: RevisionSettings): ErrorDetail[] {
  if (!build.bundle || familyOf(runtime) === "nodejs") return [];
  return [problem("build.bundle", `false, as ${runtime} has nothing to bundle`, true)];
}

function numbersOf(given: PatchFunction, base: RevisionSettings | null): Numbers {
  const names = Object.keys(settingLimits).filter((name) => name !== "idleTimeoutMs");
  const entries = (names as (keyof Numbers)[]).map((name) => [
    name,
    given[name] ?? base?.[name] ?? settingLimits[name].default,
  ]);
  return Object.fromEntries(entries) as Numbers;
}

/** null is a value here: it takes a limit away. */
function nullablesOf(given: PatchFunction, base: RevisionSettings | null): Nullables {
  const names = Object.keys(nullableLimits) as (keyof Nullables)[];
  const valueOf = (name: keyof Nullables) =>
    given[name] === undefined ? (base?.[name] ?? null) : given[name];
  return Object.fromEntries(names.map((name) => [name, valueOf(name)])) as Nullables;
}
