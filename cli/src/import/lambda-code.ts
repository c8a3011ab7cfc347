import type { Findings } from "./findings.ts";
import type { SourceFolder } from "./source-folder.ts";
import { isTreeMap, readTree } from "./yaml-tree.ts";

type Family = "nodejs" | "python";

/** Where code lies and what is called in it. */
export interface LambdaCode {
  runtime: Family;
  codeDir: string;
  handler: string;
  isBundled: boolean;
}

const HANDLER = /^[A-Za-z0-9_$/-]+(\.[A-Za-z0-9_$/-]+)*\.[A-Za-z_$][A-Za-z0-9_$]*$/;

/** `nodejs20.x` -> `nodejs`; null, which is told, for languages that Isola does not run. */
export function familyOf(runtime: string, place: string, findings: Findings): Family | null {
  const [, family, version] = /^(nodejs|python)([\d.]*)(?:\.x)?$/.exec(runtime) ?? [];
  if (family === undefined) {
    findings.leave(place, `the runtime ${runtime} is none of Isola's, which are nodejs and python`);
    return null;
  }
  const name = family === "nodejs" ? "Node.js" : "Python";
  if (version)
    findings.change(place, `runtime ${runtime} is the newest ${name} that the server has`);
  return family as Family;
}

export interface FoundCode {
  place: string;
  folder: SourceFolder;
  /** Of the code, below the folder of the file. */
  codeDir: string;
  handler: string;
  runtime: Family;
  /** A bundler made the code there. */
  isBundled: boolean;
}

/** null, which is told, where Isola could not name it. */
export function codeOf(found: FoundCode, findings: Findings): LambdaCode | null {
  const { place, folder, runtime } = found;
  const codeDir = folder.inside(found.codeDir);
  if (codeDir === null) {
    findings.leave(
      place,
      `its code ${found.codeDir} lies outside of ${folder.dir}: import from a copy that holds it`,
    );
    return null;
  }
  const handler = found.handler.replace(/^(\.\/)+/, "");
  const isInside = !handler.startsWith("/") && !handler.split(/[/.]/).includes("");
  if (!HANDLER.test(handler) || !isInside) {
    findings.leave(place, `the handler ${found.handler} is no file.export inside of its code`);
    return null;
  }
  if (!folder.isFolder(codeDir)) {
    findings.leave(
      place,
      `its code ${found.codeDir} is no folder here: unpack or build it there before you deploy`,
    );
    return { runtime, codeDir, handler, isBundled: false };
  }
  const file = fileOf(found, codeDir, handler);
  if (file === null) {
    findings.leave(place, `no file of the handler ${handler} is there: make it before you deploy`);
    return { runtime, codeDir, handler, isBundled: false };
  }
  const isTypeScript = /\.[mc]?ts$/.test(file);
  const isBundled = runtime === "nodejs" && (isTypeScript || found.isBundled);
  if (isBundled)
    findings.change(
      place,
      "its file is bundled with what it imports when it is deployed (build.bundle)",
    );
  return { runtime, codeDir, handler, isBundled };
}

function fileOf({ folder, runtime }: FoundCode, codeDir: string, handler: string): string | null {
  const slash = handler.lastIndexOf("/") + 1;
  const dot = runtime === "nodejs" ? handler.indexOf(".", slash) : handler.lastIndexOf(".");
  const named = handler.slice(0, dot);
  const path = runtime === "nodejs" ? named : named.replaceAll(".", "/");
  const whole = codeDir === "." ? path : `${codeDir}/${path}`;
  const isPackage = runtime === "python" && folder.has(`${whole}/__init__.py`);
  return isPackage ? `${whole}/__init__.py` : folder.codeFile(runtime, whole);
}

/** Lines for the .isolaignore of a folder with code: secrets of a developer, and packages that the deploy installs anew. `source`: the file that is imported. */
export function ignoredIn(
  { folder, codeDir }: { folder: SourceFolder; codeDir: string },
  source: string,
  findings: Findings,
): string[] {
  const own = codeDir === "." ? [source, ".serverless", ".aws-sam", ".env*"] : [];
  const inside = (name: string) => (codeDir === "." ? name : `${codeDir}/${name}`);
  const lockfiles = ["package-lock.json", "npm-shrinkwrap.json"];
  const hasLockfile = lockfiles.some((name) => folder.has(inside(name)));
  const needs = hasDependencies(folder, inside("package.json"));
  if (needs === null) return own;
  if (needs && !hasLockfile) {
    findings.leave(
      inside("package.json"),
      "has dependencies without npm's lockfile: `npm install --package-lock-only` makes it, and the deploy then installs them",
    );
    return own;
  }
  return [...own, "node_modules"];
}

/** null: there is no package.json. */
function hasDependencies(folder: SourceFolder, path: string): boolean | null {
  const text = folder.read(path);
  if (text === null) return null;
  const tree = readTree(text, path);
  const dependencies = isTreeMap(tree) ? tree.dependencies : undefined;
  return isTreeMap(dependencies) && Object.keys(dependencies).length > 0;
}
