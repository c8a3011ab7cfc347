import { readFileSync } from "node:fs";

/** Functions that do, inside a sandbox, what the event's `op` says; `say` is heard even if nothing else runs any more. */

const index = `
import { spawn } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import { createRequire } from "node:module";
import { Worker } from "node:worker_threads";
const require = createRequire(import.meta.url);
const channels = () => {
  const { readdirSync, readlinkSync } = require("node:fs");
  const links = readdirSync("/proc/self/fd").map((fd) => { try { return readlinkSync("/proc/self/fd/" + fd); } catch { return ""; } });
  return links.filter((link) => /^(socket|pipe|host):/.test(link));
};
const say = (word) => fs.writeSync(1, word + "\\n");
const child = (code, options = {}) => spawn(process.execPath, ["-e", code], { stdio: "ignore", ...options });
const hog = "const kept = []; for (;;) kept.push(Buffer.alloc(4 << 20, 1));";
const outcome = (work) => { try { return work() ?? "done"; } catch (error) { return error.code ?? String(error); } };
const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const ops = {
  echo: ({ value }) => ({ value, greeting: process.env.GREETING }),
  read: ({ paths }) => paths.map((path) => outcome(() => { fs.lstatSync(path); return "exists"; })),
  list: ({ path }) => fs.readdirSync(path),
  text: ({ path }) => fs.readFileSync(path, "latin1"),
  write: ({ paths }) => paths.map((path) => outcome(() => fs.writeFileSync(path, "x"))),
  fill: ({ path }) => outcome(() => { for (;;) fs.appendFileSync(path, Buffer.alloc(1 << 20)); }),
  env: () => process.env,
  descriptors: () => fs.readdirSync("/proc/self/fd").map((fd) => outcome(() => fd + " " + fs.readlinkSync("/proc/self/fd/" + fd))),
  connect: ({ host, port }) => new Promise((resolve) => {
    const socket = net.connect({ host, port }, () => resolve("connected"));
    socket.on("error", (error) => resolve(error.code));
    setTimeout(() => resolve("no answer"), 2000);
  }),
  lookup: ({ name }) => require("node:dns/promises").lookup(name).then(({ address }) => address, (error) => error.code),
  limits: () => fs.readFileSync("/proc/self/limits", "latin1"),
  status: () => fs.readFileSync("/proc/self/status", "latin1"),
  grow: () => { const kept = []; for (;;) kept.push(Buffer.alloc(4 << 20, 1)); },
  growInChild: async () => { child(hog); await later(60_000); },
  spin: () => { say("spinning"); for (;;); },
  spinAnyway: () => {
    for (const name of ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"]) process.on(name, () => {});
    say("spinning");
    for (;;);
  },
  sayAndStop: () => { fs.writeSync(1, "stopping\\n"); process.kill(process.pid, "SIGSTOP"); },
  orphan: async () => {
    const inner = "setInterval(() => {}, 1000)";
    const outer = "const c = require('node:child_process').spawn(process.execPath, ['-e', " + JSON.stringify(inner) + "], { detached: true, stdio: ['ignore', 'inherit', 'inherit'] }); console.log(c.pid); process.exit()";
    const made = child(outer, { detached: true, stdio: ["ignore", "pipe", "inherit"] });
    return await new Promise((resolve) => made.stdout.on("data", (text) => resolve(Number(text))));
  },
  spinThreads: async () => {
    for (let at = 0; at < 4; at += 1) {
      const worker = new Worker("require('node:worker_threads').parentPort.postMessage(1); for (;;);", { eval: true });
      await new Promise((resolve) => worker.once("message", resolve));
    }
    say("spinning");
    for (;;);
  },
  sleepNative: () => { say("asleep"); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0); },
  fileLoop: () => {
    say("writing");
    for (;;) { fs.writeFileSync(process.env.HOME + "/loop", "x".repeat(65536)); fs.readFileSync(process.env.HOME + "/loop"); }
  },
  regex: () => { say("matching"); return /^(a+)+$/.test("a".repeat(64) + "b"); },
  inherited: () => new Promise((resolve) => {
    const mine = channels();
    const made = child("console.log((" + channels + ")().join(' '))", { stdio: ["ignore", "pipe", "ignore"] });
    made.stdout.on("data", (text) => resolve({ mine, handedOn: mine.filter((each) => String(text).includes(each)) }));
  }),
  lie: () => {
    const isSocket = (fd) => outcome(() => fs.readlinkSync("/proc/self/fd/" + fd)).match(/^(socket|host):/) !== null;
    const socket = fs.readdirSync("/proc/self/fd").map(Number).filter((fd) => fd > 2).find(isSocket);
    // Else it is the output of the process that reaps.
    const control = socket ?? fs.openSync("/proc/1/fd/1", fs.constants.O_WRONLY);
    fs.writeSync(control, Buffer.alloc(64, 0xff));
    for (;;);
  },
  exit: ({ code }) => process.exit(code),
  kill: ({ signal }) => { process.kill(process.pid, signal); for (;;); },
  pids: () => fs.readdirSync("/proc").filter((name) => /^\\d+$/.test(name)).map(Number),
};
export const handler = async (event) => await ops[event.op](event);
`;

/** Files of `code/`, for Python. */
const modules = ["app", "attempts", "escape_files", "escape_kernel", "hostile", "inside", "raw"];
const read = (name: string) => readFileSync(new URL(`code/${name}.py`, import.meta.url), "utf8");

export const codeOf = {
  nodejs: { files: { "index.mjs": index }, handler: "index.handler" },
  python: {
    files: Object.fromEntries(modules.map((name) => [`${name}.py`, read(name)])),
    handler: "app.handler",
  },
};
