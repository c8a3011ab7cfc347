import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { FrameReader, FrameWriter, Type } from "../../protocol/src/frames.mjs";

const main = new URL("main.mjs", import.meta.url).pathname;

/** Waits for HELLO, then asks for a PONG. */
async function greet(stream: Socket): Promise<number[]> {
  const types: number[] = [];
  const reader = new FrameReader("host", (type) => types.push(type));
  const writer = new FrameWriter((bytes) => stream.write(bytes));
  for await (const chunk of stream) {
    reader.push(chunk);
    if (types.length === 1) writer.frame(Type.PING, 0, 0, Buffer.alloc(8));
    if (types.length === 2) break;
  }
  return types;
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
    assert.deepEqual(await greet(socket), [Type.HELLO, Type.PONG]);
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
    const types: number[] = [];
    const reader = new FrameReader("host", (type) => types.push(type));
    const writer = new FrameWriter((bytes) => python.stdin.write(bytes));
    for await (const chunk of python.stdout) {
      reader.push(chunk);
      if (types.length === 1) writer.frame(Type.PING, 0, 0, Buffer.alloc(8));
      if (types.length === 2) break;
    }
    assert.deepEqual(types, [Type.HELLO, Type.PONG]);
    writer.frame(Type.SHUTDOWN, 0, 0, Buffer.from([0, 0, 0, 0]));
    writer.flush();
    python.stdin.end();
    assert.deepEqual(await exited, [0, null]);
  } finally {
    python.kill("SIGKILL");
  }
});
