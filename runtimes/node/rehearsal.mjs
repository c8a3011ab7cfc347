import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Flag, FrameReader, FrameWriter, Type } from "../../protocol/src/frames.mjs";
import { ArchiveUnpacker } from "./archive.mjs";
import { openControl } from "./control.mjs";
import { readInit } from "./environment.mjs";
import { Invocations } from "./invocations.mjs";
import { kindOf } from "./kinds.mjs";
import { loadFunction } from "./load.mjs";

const ROUNDS = 3;
const lines = [
  ...["id", "GET", "/a?b=c", "", "127.0.0.1", "HTTP/1.1", "http", "$default", "d=e"],
  ...["host", "localhost", "user-agent", "rehearsal", "accept", "*/*"],
].join("\n");
const code = `export const handler = async () => ({ statusCode: 200, headers: { "x-a": "b" }, body: "" });
export const web = { fetch: () => new Response("") };`;

/** A ustar archive with one file. @param {string} name @param {string} text */
function archiveOf(name, text) {
  const header = Buffer.alloc(512);
  header.write(name);
  header.write("0000444\0", 100);
  header.write(`${text.length.toString(8).padStart(11, "0")}\0`, 124);
  header.write("        0", 148);
  header.write("ustar\x0000", 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  const content = Buffer.alloc(Math.ceil(text.length / 512) * 512);
  content.write(text);
  return Buffer.concat([header, content, Buffer.alloc(1024)]);
}

/**
 * Walks the path of a claim and of the first invocations with code of its own, so that everything on it is loaded and compiled. Nothing is
 * sent, and the folder it needs is gone afterwards.
 * @param {import("./logs.mjs").Logs} logs
 */
export async function rehearse(logs) {
  const taskRoot = mkdtempSync(join(tmpdir(), "isola-rehearsal-"));
  const init = readInit(
    Buffer.from(
      JSON.stringify({
        ...{ sandbox: "", project: "", function: "", handler: "", taskRoot, env: {} },
        ...{ revision: 1, concurrency: 1, memoryMiB: 1, timeoutMs: 1000, initTimeoutMs: 1000 },
        ...{ requestBodyBytesMax: 9, responseBodyBytesMax: 9, logLineBytesMax: 9 },
      }),
    ),
  );
  if (typeof init === "string") throw new Error(init);
  const { argv } = process;
  try {
    const archive = new ArchiveUnpacker(taskRoot);
    archive.push(archiveOf("index.mjs", code));
    archive.finish();
    for (const handler of ["index.handler", "index.web"]) {
      const loaded = await loadFunction(taskRoot, handler, archive.files);
      await invokeSome(await kindOf(loaded, init, logs), logs);
    }
  } finally {
    process.argv = argv;
    // Where code is, nobody may write.
    chmodSync(taskRoot, 0o700);
    rmSync(taskRoot, { recursive: true, force: true });
  }
}

/** @param {import("./invocations.mjs").Kind} kind @param {import("./logs.mjs").Logs} logs */
async function invokeSome(kind, logs) {
  const nothing = new FrameWriter(() => {});
  const invocations = new Invocations(nothing, logs, kind, 1);
  const reader = new FrameReader("sandbox", (_type, flags, stream, buffer, start, end) =>
    invocations.onInvoke(flags, stream, buffer, start, end),
  );
  const host = new FrameWriter((bytes) => reader.push(bytes));
  for (let stream = 1; stream <= ROUNDS; stream++) {
    const { promise, resolve } = Promise.withResolvers();
    invocations.onIdle = () => resolve(undefined);
    host.invoke(Flag.END, stream, 1000, Date.now(), lines);
    await promise;
  }
}

/** The way of frames through a stream, to and fro, so that all of it is loaded and compiled before there is a host. Nothing of it is open afterwards. Rejects where no socket can be made. */
export async function rehearseControl() {
  const folder = mkdtempSync(join(tmpdir(), "isola-rehearsal-"));
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", (chunk) => socket.end(chunk));
  });
  try {
    const path = join(folder, "control");
    await new Promise((resolve, reject) => {
      server.once("error", reject).listen(path, () => resolve(undefined));
    });
    await talk(path);
  } finally {
    await new Promise((resolve) => server.close(resolve));
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @param {string} path of a socket that gives back what it gets first, and closes */
async function talk(path) {
  const back = Promise.withResolvers();
  const gone = Promise.withResolvers();
  const reader = new FrameReader("host", () => back.resolve(undefined));
  const control = await openControl(`unix:${path}`, {
    onBytes: (chunk) => reader.push(chunk),
    onClosed: (reason) => {
      back.reject(new Error(reason));
      if (reason === "close") gone.resolve(undefined);
    },
  });
  const writer = new FrameWriter((bytes) => control.write(bytes));
  writer.json(Type.HELLO, 0, {});
  writer.flush();
  await back.promise;
  await gone.promise;
}
