import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { root } from "./pinned-node.mjs";
import { runForOutput } from "./processes.mjs";

const examples = ["hello-js", "hello-py"];
/** Where the command line looks when nobody says. */
const DEFAULT_API = "http://127.0.0.1:8081";
const CALL_MS_MAX = 60_000;
const READY_MS_MAX = 30_000;

/**
 * Deploys the first examples into a data folder that has never had them, calls them, and prints where everything is. What a person has changed or deleted since
 * stays as it is: `first-start.json` in the data folder remembers what has been done. `server` is the supervisor's message: `{gateway, functions, api, data}`.
 * @param {{ node: string, server: { gateway: string, functions: string, api: string, data: string }, print?: (text: string) => unknown }} options
 */
export async function welcome({ node, server, print = (text) => process.stdout.write(text) }) {
  const memory = readMemory(server.data);
  await waitUntilReady(server);
  const key = readFileSync(join(server.data, "admin-key"), "utf8").trim();
  const lines = [
    "",
    "Isola is ready",
    `  functions  ${server.functions}`,
    `  API        ${server.api}`,
  ];
  for (const name of examples) {
    const problem = memory.deployed.includes(name)
      ? null
      : await deployOnce({ node, server, key, name });
    if (problem === null && !memory.deployed.includes(name)) memory.deployed.push(name);
    lines.push(`  ${name}   ${problem ?? (await call(server, key, name))}`);
  }
  const link = await signInLink(server, key);
  if (link !== null) lines.push("", "Console, signed in by this link once:", `  ${link}`);
  const data = resolve(server.data);
  if (server.api !== DEFAULT_API || data !== join(root, "data")) {
    lines.push("", "For `isola` from elsewhere:", `  export ISOLA_DATA=${quotedForShell(data)}`);
  }
  lines.push("", "Call a function:", `  curl '${server.functions}/hello-js?name=Ada'`);
  if (!memory.isKeyShown) {
    const path = join(data, "admin-key");
    lines.push("", `Admin key, shown this once and kept in ${path}:`, `  ${key}`);
    memory.isKeyShown = true;
  }
  writeFileSync(memoryPath(server.data), `${JSON.stringify(memory)}\n`);
  print(`${lines.join("\n")}\n\nCtrl-C stops the server.\n`);
}

/** As it is where a POSIX shell takes it for one word, else in quotes. */
function quotedForShell(text) {
  return /^[\w./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** Listening is not yet ready: the gateway has its functions once the control plane has told it. */
async function waitUntilReady(server) {
  const until = Date.now() + READY_MS_MAX;
  for (;;) {
    const { ok, status } = await fetch(`${server.api}/readyz`, {
      signal: AbortSignal.timeout(CALL_MS_MAX),
    });
    if (ok) return;
    if (Date.now() > until) throw new Error(`${server.api}/readyz still answers ${status}`);
    await delay(50);
  }
}

function memoryPath(data) {
  return join(data, "first-start.json");
}

function readMemory(data) {
  const path = memoryPath(data);
  const known = existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : {};
  return { deployed: known.deployed ?? [], isKeyShown: known.isKeyShown ?? false };
}

/** What went wrong, or null. */
async function deployOnce({ node, server, key, name }) {
  const known = await ask(server, key, name);
  if (known.status === 200) return null;
  const cli = join(root, "cli", "src", "main.ts");
  const env = { ...process.env, ISOLA_URL: server.api, ISOLA_API_KEY: key };
  const args = [cli, "deploy", join(root, "examples", name), "--yes"];
  const { code, output } = await runForOutput(node, args, { env });
  if (code === 0) return null;
  return `could not be deployed: ${output.trim() || `the deploy ended with exit code ${code}`}`;
}

async function call(server, key, name) {
  const known = await ask(server, key, name);
  if (known.status === 404) return "has been deleted";
  const path = new URL((await known.json()).url).pathname;
  const base = new URL(server.functions).pathname.replace(/\/$/, "");
  const local = path.startsWith(base) ? path.slice(base.length) : path;
  const response = await fetch(server.gateway + local, {
    signal: AbortSignal.timeout(CALL_MS_MAX),
  });
  return `${response.status} ${(await response.text()).trim()}`;
}

/** null where the console is not built. */
async function signInLink(server, key) {
  const page = await fetch(`${server.api}/`, {
    headers: { accept: "text/html" }, // as a browser asks: to others the address is none of the API
    signal: AbortSignal.timeout(CALL_MS_MAX),
  });
  await page.body?.cancel();
  if (!page.ok) return null;
  const made = await fetch(`${server.api}/api/v1/session/links`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}` },
    signal: AbortSignal.timeout(CALL_MS_MAX),
  });
  return made.ok ? server.api + (await made.json()).path : null;
}

function ask(server, key, name) {
  return fetch(`${server.api}/api/v1/functions/${name}`, {
    headers: { authorization: `Bearer ${key}` },
    signal: AbortSignal.timeout(CALL_MS_MAX),
  });
}
