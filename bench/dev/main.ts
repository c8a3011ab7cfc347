import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { table } from "../table.ts";

/*
 * From the save of a file until a call is answered by what was saved: functions under `isola dev`, on the process driver, and a bare node:http server under `node --watch`, in turns.
 * One call is repeated every 2 ms over an open connection.
 */

const SAVES = 20;
/** Between two saves: what follows the last one is over. */
const REST_MS = 300;
const WAIT_MS_MAX = 30_000;

interface Subject {
  name: string;
  url: string;
  save(text: string): void;
  times: number[];
}

const program = new URL("../../cli/src/main.ts", import.meta.url).pathname;
const dir = mkdtempSync(join(tmpdir(), "isola-bench-dev-"));
const children: ChildProcess[] = [];
try {
  await main();
} finally {
  for (const child of children) {
    const exit = once(child, "exit");
    if (child.exitCode === null && child.kill("SIGINT")) await exit;
  }
  rmSync(dir, { recursive: true, force: true });
}

async function main(): Promise<void> {
  const reference = await startWatched();
  const subjects = [reference, ...(await startDev())];
  for (let save = 0; save < SAVES; save += 1)
    for (const subject of subjects) {
      await delay(REST_MS);
      subject.times.push(await timeOf(subject, `save ${save}`));
    }
  const base = medianOf(reference.times);
  const rows = subjects.map(({ name, times }) => [
    name,
    (medianOf(times) / base).toFixed(2),
    medianOf(times).toFixed(0),
    Math.min(...times).toFixed(0),
    Math.max(...times).toFixed(0),
  ]);
  const head = ["saved -> answers", "ratio", "median ms", "least", "most"];
  process.stdout.write(`${table(head, rows)}\n`);
}

async function timeOf({ url, save }: Subject, text: string): Promise<number> {
  const startedAt = performance.now();
  save(text);
  for (;;) {
    const said = await fetch(url).then(
      (response) => response.text(),
      () => "", // it restarts
    );
    const ms = performance.now() - startedAt;
    if (said === text) return ms;
    if (ms > WAIT_MS_MAX) throw new Error(`${url} does not answer with ${text}`);
    await delay(2);
  }
}

async function startWatched(): Promise<Subject> {
  const port = await freePort();
  const file = join(dir, "server.mjs");
  const save = (text: string) =>
    writeFileSync(
      file,
      `import { createServer } from "node:http";\ncreateServer((_, response) => response.end("${text}")).listen(${port}, "127.0.0.1");\n`,
    );
  save("first");
  children.push(spawn(process.execPath, ["--watch", file], { stdio: "ignore" }));
  const name = "node --watch, bare node:http";
  const subject = { name, url: `http://127.0.0.1:${port}/`, save, times: [] };
  await timeOf(subject, "ready");
  return subject;
}

async function startDev(): Promise<Subject[]> {
  const folder = join(dir, "functions");
  for (const name of ["js", "py"]) mkdirSync(join(folder, name), { recursive: true });
  const saves: Record<string, (text: string) => void> = {
    js: (text) =>
      writeFileSync(
        join(folder, "js/index.mjs"),
        `export const handler = async () => "${text}";\n`,
      ),
    py: (text) =>
      writeFileSync(
        join(folder, "py/app.py"),
        `def handler(event, context):\n    return "${text}"\n`,
      ),
  };
  for (const save of Object.values(saves)) save("first");
  const functions = "functions:\n  js: { code: ./js }\n  py: { code: ./py }\n";
  writeFileSync(join(folder, "isola.yaml"), functions);
  const child = spawn(process.execPath, [program, "dev", folder, "--own-server", "--json"], {
    env: { ...process.env, ISOLA_DEFAULT_DRIVER: "process" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  const subjects: Subject[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const event = JSON.parse(line) as { event: string; function: string; url: string };
    const save = saves[event.function];
    if (event.event !== "deployed" || save === undefined) continue;
    const name = `isola dev, ${event.function === "js" ? "Node.js" : "Python"}`;
    subjects.push({ name, url: event.url, save, times: [] });
    if (subjects.length === 2) break;
  }
  for (const subject of subjects) await timeOf(subject, "ready");
  return subjects;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function medianOf(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[times.length >> 1] ?? Number.NaN;
}
