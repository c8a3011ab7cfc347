import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";

const packages = ["api", "client", "protocol", "server", "cli", "console"];
const folders = [
  "setup",
  "ops",
  "images",
  "builders",
  "probes",
  "runtimes",
  "examples",
  "templates",
];
const kept = [...packages, ...folders];
/** Of the package with the pinned Node.js the program alone: its headers are as large again. */
const leftOut = /\/node-[\w-]+\/(include|lib|share)\//;

/** What the image is made of, as paths below `root`: sources, the console as it is built, and those packages that a server loads. */
export function imageContext(root: string): string[] {
  const files = [...kept, ...modulesFor(root)].flatMap((folder) =>
    readdirSync(join(root, folder), { withFileTypes: true, recursive: true })
      .filter((entry) => !entry.isDirectory())
      .map((entry) => relative(root, join(entry.parentPath, entry.name))),
  );
  const own = ["package.json", "package-lock.json", "node_modules/.package-lock.json"];
  const links = [
    "node_modules/.bin/node",
    ...packages.map((name) => `node_modules/@isola/${name}`),
  ].filter((path) => existsSync(join(root, path)));
  const isKept = (path: string) =>
    !leftOut.test(`/${path}`) && !/(^|\/)(__pycache__|node_modules\/\.cache)\//.test(path);
  return [...new Set([...own, ...links, ...files])].filter(isKept);
}

/** Folders of packages that those of the server and the command line need, and what these need in turn. */
function modulesFor(root: string): string[] {
  const found = new Set<string>();
  const waiting = ["server", "cli", "client", "api", "protocol"].map((name) => join(root, name));
  for (let dir = waiting.pop(); dir !== undefined; dir = waiting.pop()) {
    const { dependencies = {}, optionalDependencies = {} } = JSON.parse(
      readFileSync(join(dir, "package.json"), "utf8"),
    );
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const place = [dir, root]
        .map((at) => join(at, "node_modules", name))
        .find((path) => existsSync(join(path, "package.json")));
      if (place === undefined || found.has(place) || name.startsWith("@isola/")) continue;
      found.add(place);
      waiting.push(place);
    }
  }
  const node = readdirSync(join(root, "node_modules")).filter((name) =>
    /^node-(linux|bin)/.test(name),
  );
  return [
    ...[...found].map((path) => relative(root, path)),
    ...node.map((name) => `node_modules/${name}`),
  ];
}
