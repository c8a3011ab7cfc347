import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type { Step } from "./blocks.ts";
import type { Fault } from "./links.ts";
import { isOutput } from "./output.ts";

/** A server that runs, and the checkout that its commands are of. */
export interface Place {
  root: string;
  dataDir: string;
  gatewayUrl: string;
  apiUrl: string;
  /** A new folder for this page alone; becomes its home too. */
  folder: string;
}

/** One block may take so long. */
const stepMsMax = 60_000;

/**
 * Does what a page shows, in its order, in one shell, as a person would in a checkout with a server on its usual ports. Stops at the first step that fails: resolves with
 * what is wrong, or null.
 */
export async function runPage(
  path: string,
  steps: readonly Step[],
  place: Place,
  msMax = stepMsMax,
): Promise<Fault | null> {
  if (!steps.some(({ kind }) => kind === "commands")) return null;
  const inFolder = prepare(steps, place);
  writeFileSync(join(place.folder, "steps.sh"), scriptOf(steps, place));
  const child = spawn("bash", [join(place.folder, "steps.sh")], {
    cwd: inFolder,
    env: environmentOf(place),
    detached: true,
    stdio: ["ignore", "ignore", "ignore", "pipe"],
  });
  const ended = once(child, "close");
  let begun = -1;
  let isDone = false;
  let isLate = false;
  const kill = () => process.kill(-(child.pid as number), "SIGKILL");
  let timer = new AbortController();
  for await (const line of createInterface({ input: child.stdio[3] as Readable })) {
    timer.abort();
    isDone = line === "done";
    if (isDone) break;
    begun = Number(line);
    timer = new AbortController();
    void sleep(msMax, undefined, { signal: timer.signal }).then(
      () => {
        isLate = true;
        kill();
      },
      () => {}, // the next step has begun
    );
    const wrong = wrongOutput(path, steps, begun - 1, place);
    if (wrong !== null) {
      timer.abort();
      kill();
      await ended;
      return wrong;
    }
  }
  timer.abort();
  const [code] = (await ended) as [number | null];
  if (isLate)
    return `${at(path, steps, begun)}: still runs after ${msMax} ms${shown(begun, place)}`;
  if (code !== 0) return `${at(path, steps, begun)}: ended with ${code}${shown(begun, place)}`;
  if (!isDone) return `${at(path, steps, begun)}: left the shell${shown(begun, place)}`;
  return wrongOutput(path, steps, steps.length - 1, place);
}

function at(path: string, steps: readonly Step[], index: number): string {
  return `${path}:${steps[index]?.line ?? 1}`;
}

function shown(index: number, place: Place): string {
  return `; it printed:\n${outputOf(index, place)}`;
}

function wrongOutput(
  path: string,
  steps: readonly Step[],
  index: number,
  place: Place,
): Fault | null {
  const step = steps[index];
  if (step?.kind !== "commands" || step.output === null) return null;
  const given = outputOf(index, place);
  if (isOutput(step.output.text, given)) return null;
  return `${path}:${step.output.line}: the page shows\n${step.output.text}and the commands print\n${given}`;
}

/** With the ports that the page names. */
function outputOf(index: number, place: Place): string {
  return readFileSync(join(place.folder, `${index}.out`), "utf8")
    .replace(/^curl: \(22\) .*\n/gm, "") // of `fail-with-body`, which the reader does not have
    .replaceAll(new URL(place.gatewayUrl).host, "127.0.0.1:8080")
    .replaceAll(new URL(place.apiUrl).host, "127.0.0.1:8081");
}

function withPortsOf(place: Place, text: string): string {
  return text
    .replaceAll(/(?:127\.0\.0\.1|localhost):8080/g, new URL(place.gatewayUrl).host)
    .replaceAll(/(?:127\.0\.0\.1|localhost):8081/g, new URL(place.apiUrl).host);
}

/** Says the number of each step before it begins, and `done`, to descriptor 3. */
function scriptOf(steps: readonly Step[], place: Place): string {
  const parts = steps.map((step, index) => {
    const file = join(place.folder, `${index}.sh`);
    writeFileSync(file, withPortsOf(place, step.text));
    const out = `>"${join(place.folder, `${index}.out`)}" 2>&1 3>&-`;
    if (step.kind === "file")
      return `mkdir -p '${dirname(step.path)}'; cp '${file}' '${step.path}'`;
    if (step.exitCode === 0) return `echo ${index} >&3\nsource '${file}' ${out}`;
    return `echo ${index} >&3\ncode=0; (source '${file}') ${out} || code=$?\n[ $code = ${step.exitCode} ] || exit $((code == 0 ? 1 : code))`;
  });
  return ["set -euo pipefail", ...parts, "echo done >&3", "kill $(jobs -p) 2>&- || true"].join(
    "\n",
  );
}

/** The page's folder is like a checkout: with its examples and templates, as far as it names them, and the data folder of the server. Gives back where the shell begins. */
function prepare(steps: readonly Step[], place: Place): string {
  const { root, dataDir, folder } = place;
  const page = join(folder, "page");
  mkdirSync(page);
  for (const name of ["examples", "templates"]) {
    if (!steps.some(({ text }) => text.includes(`${name}/`))) continue;
    cpSync(join(root, name), join(page, name), { recursive: true });
  }
  symlinkSync(dataDir, join(page, "data"));
  writeCommands(place, page);
  return page;
}

function writeCommands({ root, folder }: Place, page: string): void {
  const bin = join(folder, "bin");
  mkdirSync(bin);
  // As at a terminal; and an answer that is an error is one for the block, which says `exit=22` where it is meant.
  writeFileSync(join(page, ".curlrc"), "no-progress-meter\nfail-with-body\n");
  const main = join(root, "cli/src/main.ts");
  const isola = `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`;
  const npm = `#!/bin/sh\n[ "$1 $2 $3" = "run isola --" ] || { echo "a page may run npm run isola alone, given: npm $*" >&2; exit 1; }\nshift 3\nexec isola "$@"\n`;
  for (const [name, text] of Object.entries({ isola, npm })) {
    writeFileSync(join(bin, name), text);
    chmodSync(join(bin, name), 0o755);
  }
}

function environmentOf({ apiUrl, dataDir, folder }: Place): NodeJS.ProcessEnv {
  return {
    PATH: `${join(folder, "bin")}:${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`,
    HOME: join(folder, "page"),
    LANG: "C.UTF-8",
    NO_PROXY: "127.0.0.1",
    NODE_COMPILE_CACHE: join(folder, "../compiled"),
    ISOLA_URL: apiUrl,
    ISOLA_DATA: dataDir,
  };
}
