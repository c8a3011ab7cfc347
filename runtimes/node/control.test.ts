import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readlinkSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import type { Readable, Writable } from "node:stream";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { FrameReader, FrameWriter, Type } from "../../protocol/src/frames.mjs";

const main = new URL("main.mjs", import.meta.url).pathname;

/** Waits for HELLO, then asks for a PONG. Resolves with the process that said it. */
async function greet(from: Readable, to: Writable): Promise<number> {
  const types: number[] = [];
  let pid = 0;
  // oxlint-disable-next-line max-params -- the codec hands a frame on without making an object of it
  const reader = new FrameReader("host", (type, _flags, _stream, buffer, start, end) => {
    types.push(type);
    if (type === Type.HELLO) pid = JSON.parse(buffer.toString("utf8", start, end)).pid;
  });
  const writer = new FrameWriter((bytes) => to.write(bytes));
  for await (const chunk of from.iterator({ destroyOnReturn: false })) {
    reader.push(chunk);
    if (types.length === 1) writer.frame(Type.PING, 0, 0, Buffer.alloc(8));
    if (types.length === 2) break;
  }
  assert.deepEqual(types, [Type.HELLO, Type.PONG]);
  return pid;
}

test("unix:/path is dialled", async () => {
  const folder = mkdtempSync(join(tmpdir(), "isola-control-"));
  const path = join(folder, "c.sock");
  const server = createServer();
  const connected = once(server.listen(path), "connection");
  const child = spawn(process.execPath, [main], {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ISOLA_CONTROL: `unix:${path}`, TMPDIR: folder },
  });
  const exited = once(child, "close");
  try {
    const [socket] = (await connected) as [Socket];
    await greet(socket, socket);
    socket.destroy();
    assert.deepEqual(await exited, [0, null]);
  } finally {
    child.kill("SIGKILL");
    server.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

test("file:/dev/x is opened for reading and writing", async () => {
  // A pseudo-terminal in raw mode stands for the serial port of a virtual machine; only Python can open one here.
  const script = `
import os, pty, subprocess, sys, threading, tty
ours, theirs = pty.openpty()
tty.setraw(theirs)
path = os.ttyname(theirs)
child = subprocess.Popen(sys.argv[1:], env={"ISOLA_CONTROL": "file:" + path}, stdin=subprocess.DEVNULL)
def pump():
    while True:
        data = os.read(0, 65536)
        if not data: os._exit(child.wait(5))
        os.write(ours, data)
threading.Thread(target=pump, daemon=True).start()
while True:
    try: data = os.read(ours, 65536)
    except OSError: break
    os.write(1, data)
`;
  const python = spawn("/usr/bin/python3", ["-c", script, process.execPath, main], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const exited = once(python, "close");
  try {
    await greet(python.stdout, python.stdin);
    const writer = new FrameWriter((bytes) => python.stdin.write(bytes));
    writer.frame(Type.SHUTDOWN, 0, 0, Buffer.from([0, 0, 0, 0]));
    writer.flush();
    python.stdin.end();
    assert.deepEqual(await exited, [0, null]);
  } finally {
    python.kill("SIGKILL");
  }
});

test("stdio is taken away from what the code has as 0 and 1, and its end is the end of the process", async () => {
  // Node itself gives a child sockets; a container has pipes.
  const folder = mkdtempSync(join(tmpdir(), "isola-control-"));
  const script = 'cat | { "$0" "$1" 2>"$2"; echo "$?" >&3; } | cat';
  const shell = spawn("sh", ["-c", script, process.execPath, main, join(folder, "errors")], {
    stdio: ["pipe", "pipe", "inherit", "pipe"],
    env: { ISOLA_CONTROL: "stdio", PATH: process.env.PATH },
  });
  const [stdin, stdout, , status] = shell.stdio as unknown as [Writable, Readable, null, Readable];
  const exited = once(shell, "exit");
  try {
    const pid = await greet(stdout, stdin);
    const [none, out, error] = [0, 1, 2].map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
    assert.deepEqual([none, out, error], ["/dev/null", error, join(folder, "errors")]);
    stdin.end();
    assert.equal(String((await once(status, "data"))[0]), "0\n");
    await exited;
  } finally {
    shell.kill("SIGKILL");
    for (const each of [stdin, stdout, status]) each.destroy();
    rmSync(folder, { recursive: true });
  }
});
