import type { BuildSettings } from "../domain/function.ts";
import { IsolaError } from "../errors.ts";
import type { BuildPlan } from "./plan-build.ts";
import { projectDependencies } from "./project-dependencies.ts";
import type { PackageSources } from "./read-sources.ts";
import { checkRequirement, checkWheelsOnly, requirementLines } from "./requirement-lines.ts";

/** Where `runtimes/python` looks for what was installed. */
const PREFIX = ".isola/python/";

/** `pip install` of `requirements.txt`, else of the dependencies that `pyproject.toml` names. */
export function planPython(
  sources: PackageSources,
  build: BuildSettings,
  index: string | null,
): BuildPlan | null {
  if (build.dependencies === "none" || bringsItsOwn(sources)) return null;
  const wanted = requirementsOf(sources, build.scripts);
  if (wanted === null) return null;
  if (sources.paths.some((path) => path.startsWith(".isola/")))
    throw new IsolaError(
      "invalid_package",
      "the package has a folder .isola, where its dependencies would be installed: rename it, or set build.dependencies to none",
    );
  return {
    family: "python",
    only: wanted.needsAll ? null : wanted.files,
    order: { requirements: wanted.requirements, scripts: build.scripts, index },
    place: "beside",
    prefix: PREFIX,
  };
}

/** Installed packages beside the code, as `pip install --target .` leaves them. */
function bringsItsOwn({ paths }: PackageSources): boolean {
  return paths.some((path) => /^[^/]+\.dist-info\//.test(path));
}

interface Wanted {
  requirements: string | string[];
  files: string[];
  needsAll: boolean;
}

function requirementsOf(sources: PackageSources, scripts: boolean): Wanted | null {
  const text = sources.text("requirements.txt");
  if (text !== null) {
    const lines = requirementLines(text);
    if (lines.length > 0) {
      if (!scripts) checkWheelsOnly(sources);
      return {
        requirements: "requirements.txt",
        files: ["requirements.txt"],
        needsAll: lines.some((line) => !isPlain(line)),
      };
    }
  }
  const project = sources.text("pyproject.toml");
  const named = project === null ? [] : projectDependencies(project);
  if (!scripts) for (const one of named) checkRequirement("pyproject.toml", one);
  return named.length === 0 ? null : { requirements: named, files: [], needsAll: false };
}

const plainOptions =
  /^--(?:index-url|extra-index-url|no-index|only-binary|no-binary|prefer-binary|pre|require-hashes|trusted-host|use-feature)\b/;

/** A requirement by name or URL: it names no file of the package. */
function isPlain(line: string): boolean {
  if (line.startsWith("-"))
    return !/\s-/.test(line) && (plainOptions.test(line) || /^-i\s/.test(line));
  if (/^[A-Za-z0-9][\w.-]*\s*(?:\[[^\]]*\])?\s*@\s*https?:\/\//.test(line)) return true;
  const name = line.split(/\s+--hash=/)[0] as string;
  return /^[A-Za-z0-9]/.test(name) && !/[/\\]|\.(?:whl|zip|tar\.gz)\b/.test(name);
}
