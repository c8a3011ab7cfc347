import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Where a machine that is no machine goes wrong; everything before that goes well. */
export type Misdeed =
  | "none"
  | "dies at once"
  | "dies before it is up"
  | "says nothing"
  | "speaks nonsense"
  | "dies at the start of the runtime"
  | "refuses the runtime"
  | "says nothing at the start of the runtime"
  | "dies when it has started"
  | "dies before the gate"
  | "dies while it is saved"
  | "cannot be saved"
  | "dies when it goes on"
  | "does not say that it goes on"
  | "refuses the runtime when it goes on";

/** What it says on stderr before it dies. */
export const LAST_WORDS = "qemu: it is no use";

/**
 * Writes a program that is started as QEMU is, and speaks as QEMU and a guest's init do, up to its misdeed. What it does is also written to `deeds` in the folder, a
 * line each.
 */
export function writeFakeQemu(folder: string, misdeed: Misdeed): string {
  const path = join(folder, "fake-qemu");
  const deeds = join(folder, "deeds");
  writeFileSync(deeds, "");
  chmodSync(deeds, 0o666);
  const known = `const misdeed = ${JSON.stringify(misdeed)}, deeds = ${JSON.stringify(deeds)}, lastWords = ${JSON.stringify(LAST_WORDS)};`;
  writeFileSync(path, `#!${process.execPath}\n${known}\n${program}`, { mode: 0o755 });
  chmodSync(path, 0o755);
  return path;
}

const program = `
const fs = require("node:fs"), net = require("node:net");
const args = process.argv.slice(2);
if (args[0] === "--version") { console.log("QEMU emulator version 7.2.22"); process.exit(0); }
const did = (deed) => fs.appendFileSync(deeds, deed + "\\n");
const die = () => { fs.writeSync(2, lastWords + "\\n"); process.exit(1); };
const fdOf = (id) => Number(args.map((arg) => new RegExp("^socket,id=" + id + ",fd=(\\\\d+)").exec(arg)?.[1]).find(Boolean));
const incoming = args.includes("-incoming");
const agent = new net.Socket({ fd: fdOf("agent") });
const say = (line) => agent.write(line + "\\n");
did(incoming ? "goes on" : "boots");
if (misdeed === "dies at once") die();
fs.writeSync(1, "the console of a guest\\n");
if (misdeed === "dies before it is up") setTimeout(die, 20);
else if (misdeed === "speaks nonsense") say("x".repeat(10000));
else if (misdeed !== "says nothing" && !incoming) say("up 1");
const answers = {
  prepare(n) {
    say(n + " ok");
    if (misdeed === "dies before the gate") return die();
    say("gate");
  },
  start(n) {
    if (misdeed === "dies at the start of the runtime") return die();
    if (misdeed === "refuses the runtime" || (incoming && misdeed === "refuses the runtime when it goes on")) return say(n + " failed no room");
    if (misdeed === "says nothing at the start of the runtime") return did("asked");
    say(n + " ok");
    if (misdeed === "dies when it has started") setTimeout(die, 20);
  },
};
let text = "";
agent.on("data", (chunk) => {
  text += chunk;
  const lines = text.split("\\n");
  text = lines.pop();
  for (const line of lines) {
    const [n, word] = line.split(" ");
    if (answers[word]) answers[word](n); else say(n + " ok");
  }
});
const monitor = fdOf("monitor");
if (monitor) {
  const qmp = new net.Socket({ fd: monitor });
  const tell = (message) => qmp.write(JSON.stringify(message) + "\\n");
  tell({ QMP: {} });
  let status = "setup";
  require("node:readline").createInterface({ input: qmp }).on("line", (line) => {
    const { execute, arguments: given } = JSON.parse(line);
    if (execute === "migrate") {
      did("is saved");
      if (misdeed === "dies while it is saved") return die();
      if (misdeed === "cannot be saved") status = "failed";
      else net.connect(given.uri.slice("unix:".length)).end(Buffer.alloc(100000, 7), () => { status = "completed"; });
    }
    if (execute === "migrate-incoming") {
      if (misdeed === "dies when it goes on") return die();
      fs.readFileSync("/proc/self/fd/" + given.uri.split(":")[1]);
    }
    if (misdeed === "does not say that it goes on" && execute === "migrate-incoming") return;
    tell({ return: execute === "query-migrate" ? { status, "error-desc": "no space" } : {} });
  });
}
setInterval(() => {}, 1000);
`;
