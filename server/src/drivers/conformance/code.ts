/** Functions that do, inside a sandbox, what the event's `op` says. */

const index = `
import { spawn } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
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
  limits: () => fs.readFileSync("/proc/self/limits", "latin1"),
  status: () => fs.readFileSync("/proc/self/status", "latin1"),
  grow: () => { const kept = []; for (;;) kept.push(Buffer.alloc(4 << 20, 1)); },
  growInChild: async () => { child(hog); await later(60_000); },
  spin: () => { for (;;); },
  spinAnyway: () => {
    for (const name of ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"]) process.on(name, () => {});
    for (;;);
  },
  stop: () => process.kill(process.pid, "SIGSTOP"),
  sayAndStop: () => { fs.writeSync(1, "stopping\\n"); process.kill(process.pid, "SIGSTOP"); },
  orphan: async () => {
    const inner = "setInterval(() => {}, 1000)";
    const outer = "const c = require('node:child_process').spawn(process.execPath, ['-e', " + JSON.stringify(inner) + "], { detached: true, stdio: ['ignore', 'inherit', 'inherit'] }); console.log(c.pid); process.exit()";
    const made = child(outer, { detached: true, stdio: ["ignore", "pipe", "inherit"] });
    return await new Promise((resolve) => made.stdout.on("data", (text) => resolve(Number(text))));
  },
  exit: ({ code }) => process.exit(code),
  kill: ({ signal }) => { process.kill(process.pid, signal); for (;;); },
  pids: () => fs.readdirSync("/proc").filter((name) => /^\\d+$/.test(name)).map(Number),
};
export const handler = async (event) => await ops[event.op](event);
`;

const app = `
import os, time

def bomb(event):
    made = 0
    try:
        while made < 5000:
            if os.fork() == 0:
                time.sleep(600)
                os._exit(0)
            made += 1
    except OSError as error:
        return {"made": made, "errno": error.errno}
    return {"made": made, "errno": 0}

def storm(event):
    while True:
        try:
            os.fork()
        except OSError:
            pass

def orphan(event):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(600)
        os._exit(0)
    return "left"

def grow(event):
    kept = []
    while True:
        kept.append(bytearray(4 << 20))

def handler(event, context):
    ops = {"echo": lambda e: {"value": e["value"], "greeting": os.environ["GREETING"]}, "bomb": bomb, "storm": storm, "orphan": orphan, "grow": grow}
    return ops[event["op"]](event)
`;

export const codeOf = {
  nodejs: { files: { "index.mjs": index }, handler: "index.handler" },
  python: { files: { "app.py": app }, handler: "app.handler" },
};
