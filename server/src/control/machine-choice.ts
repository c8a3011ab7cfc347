import { type DriverName, preferredDrivers } from "../domain/function.ts";
import type { DriverProbe } from "../drivers/driver.ts";
import { IsolaError } from "../errors.ts";
import type { GatewayStatus } from "../link/messages.ts";
import { problem } from "@isola/api/explain";
import { invalidRequest } from "./validation.ts";

/** `nodejs` and `python` become the newest installed, a full name itself. Throws `invalid_request` naming what is installed. */
export function resolveRuntime(asked: string, runtimes: GatewayStatus["runtimes"]): string {
  const fitting = runtimes
    .filter(({ family, name }) => family === asked || name === asked)
    .toSorted((a, b) => compareVersions(b.version, a.version))[0];
  if (fitting !== undefined) return fitting.name;
  const installed = runtimes.map(({ name }) => name).join(", ") || "none";
  const expected = `nodejs, python or one installed here (${installed})`;
  throw invalidRequest([problem("runtime", expected, asked)]);
}

/** Throws `driver_unavailable` with what is missing and what would help. */
export function checkDriver(name: string, drivers: readonly DriverProbe[]): void {
  const probe = drivers.find((driver) => driver.name === name);
  if (probe?.isAvailable) return;
  const problems = probe?.problems.join("; ") || "it is not part of this server";
  const fixes = probe?.fixes.length ? `; to fix it: ${probe.fixes.join(" && ")}` : "";
  throw new IsolaError("driver_unavailable", `driver ${name} cannot run here: ${problems}${fixes}`);
}

/** The driver of a function that names none. With `auto` the first of the preferred that works here; where none does the last, whose probe then says what is missing. */
export function chooseDriver(
  asked: DriverName | "auto",
  drivers: readonly DriverProbe[],
): DriverName {
  if (asked !== "auto") return asked;
  const works = (name: string) => drivers.some((each) => each.name === name && each.isAvailable);
  return preferredDrivers.find(works) ?? (preferredDrivers.at(-1) as DriverName);
}

function compareVersions(a: string, b: string): number {
  const [left, right] = [a.split("."), b.split(".")];
  for (let at = 0; at < Math.max(left.length, right.length); at++) {
    const difference = Number(left[at] ?? 0) - Number(right[at] ?? 0);
    if (difference !== 0 && !Number.isNaN(difference)) return difference;
  }
  return 0;
}
