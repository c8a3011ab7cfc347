import type { RevisionSettings } from "../domain/function.ts";
import { IsolaError } from "../errors.ts";
import type { BuildPlan } from "./plan-build.ts";
import type { PackageSources } from "./read-sources.ts";

const lockNames = ["package-lock.json", "npm-shrinkwrap.json"] as const;
/** What npm runs of the package itself; it may look at any file. */
const ownScripts = [
  "preinstall",
  "install",
  "postinstall",
  "prepublish",
  "preprepare",
  "prepare",
  "postprepare",
];

interface Manifest {
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  workspaces?: unknown;
  scripts?: Record<string, string>;
}

/** `npm ci` where `package.json` names dependencies that are not there; esbuild where that is asked for. */
export function planNode(
  sources: PackageSources,
  { handler, build }: Pick<RevisionSettings, "handler" | "build">,
  registry: string | null,
): BuildPlan | null {
  const lock = lockNames.find((name) => sources.text(name) !== null) ?? null;
  const install = build.dependencies === "auto" && needsInstall(sources, lock);
  if (!install && !build.bundle) return null;
  const needsAll = build.bundle || looksAtPackage(sources, lock, build.scripts);
  return {
    family: "nodejs",
    only: needsAll ? null : ["package.json", lock as string, ".npmrc"],
    order: {
      install,
      scripts: build.scripts,
      registry,
      bundle: build.bundle ? fileOf(handler) : null,
    },
    place: build.bundle ? "instead" : "beside",
    prefix: build.bundle ? "" : "node_modules/",
  };
}

function needsInstall(sources: PackageSources, lock: string | null): boolean {
  if (sources.paths.some((path) => path.startsWith("node_modules/"))) return false;
  const manifest = manifestOf(sources);
  const named = { ...manifest?.dependencies, ...manifest?.optionalDependencies };
  if (Object.keys(named).length === 0) return false;
  if (lock !== null) return true;
  const other = ["yarn.lock", "pnpm-lock.yaml", "bun.lock"].find((name) =>
    sources.paths.includes(name),
  );
  const found =
    other === undefined
      ? "there is no lockfile"
      : `there is ${other}, and npm's lockfile is needed`;
  throw new IsolaError(
    "invalid_package",
    `package.json names dependencies (${Object.keys(named).slice(0, 5).join(", ")}), but the package has no node_modules and ${found}: ` +
      "run `npm install --package-lock-only` and deploy package-lock.json too, bring node_modules, or set build.dependencies to none",
  );
}

function manifestOf(sources: PackageSources): Manifest | null {
  const text = sources.text("package.json");
  if (text === null) return null;
  try {
    const manifest: unknown = JSON.parse(text);
    return typeof manifest === "object" ? (manifest as Manifest) : null;
  } catch (error) {
    throw new IsolaError(
      "invalid_package",
      `package.json is not JSON: ${(error as Error).message}`,
    );
  }
}

/** Otherwise what is installed depends on manifest and lockfile alone, and is shared by all packages that have the same. */
function looksAtPackage(sources: PackageSources, lock: string | null, scripts: boolean): boolean {
  const manifest = manifestOf(sources);
  const lockText = sources.text(lock as string) ?? "";
  if (manifest?.workspaces !== undefined) return true;
  if (/"link"\s*:\s*true|"(?:resolved|version)"\s*:\s*"file:/.test(lockText)) return true;
  return scripts && ownScripts.some((name) => manifest?.scripts?.[name] !== undefined);
}

/** `src/index.handler` -> `src/index` */
function fileOf(handler: string): string {
  const dot = handler.indexOf(".", handler.lastIndexOf("/") + 1);
  return (dot === -1 ? handler : handler.slice(0, dot)).replace(/^\.\//, "");
}
