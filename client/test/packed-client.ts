import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const root = join(import.meta.dirname, "../..");

/** A folder in which the packed client is installed and nothing else, as a user would have it. */
export interface Consumer {
  dir: string;
  /** Of the installed package. */
  packageDir: string;
  /** Runs a file of the folder; the output. Throws with what it wrote where it fails. */
  run(node: string, script: string, env: Record<string, string>): string;
  write(name: string, text: string): void;
  dispose(): void;
}

export function installPacked(): Consumer {
  const dir = mkdtempSync(join(tmpdir(), "isola-client-"));
  const dist = join(dir, "dist");
  const npm = join(root, "node_modules/npm/bin/npm-cli.js");
  const quiet = { encoding: "utf8", stdio: "pipe" } as const;
  const runNode = (args: string[], cwd: string) =>
    execFileSync(process.execPath, args, { cwd, ...quiet });
  runNode([join(root, "client/build.mjs"), dist], root);
  runNode([npm, "pack", "--silent", "--pack-destination", dir], dist);
  const tarball = readdirSync(dir).find((name) => name.endsWith(".tgz"));
  rmSync(dist, { recursive: true });
  writeFileSync(join(dir, "package.json"), JSON.stringify({ private: true, type: "module" }));
  const flags = ["--offline", "--no-audit", "--no-fund", "--cache", join(dir, ".npm")];
  runNode([npm, "install", ...flags, `./${tarball}`], dir);
  return {
    dir,
    packageDir: join(dir, "node_modules/@isola/client"),
    run: (node, script, env) =>
      execFileSync(node, [join(dir, script)], {
        cwd: dir,
        env: { ...env },
        timeout: 60_000,
        ...quiet,
      }),
    write: (name, text) => writeFileSync(join(dir, name), text),
    dispose: () => rmSync(dir, { recursive: true }),
  };
}

/** A Node.js of the system that is older than the one that runs the tests. */
export function olderNode(): string | null {
  for (const path of ["/usr/bin/node", "/usr/local/bin/node", "/opt/homebrew/bin/node"]) {
    if (!existsSync(path)) continue;
    const version = execFileSync(path, ["--version"], { encoding: "utf8" });
    const major = Number(/^v(\d+)/.exec(version)?.[1]);
    if (major >= 20 && major < 24) return path;
  }
  return null;
}

/** The blocks of code of a Markdown file in one language. */
export function snippetsOf(path: string, language: string): string[] {
  const text = readFileSync(join(root, path), "utf8");
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, "gm"))].map(
    ([, code]) => code as string,
  );
}
