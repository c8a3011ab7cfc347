import { strict as assert } from "node:assert";
import { readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, describe, test } from "node:test";
import { gatewayOf } from "../harness.ts";
import { RawCaller } from "./raw-client.ts";
import { WitnessServer } from "./witness.ts";

const MIB = 1_048_576;
const CALLERS = 4;
const BODY_BYTES = 100_000_000;
/** What the gateway may grow by for all of them together, a small part of the bytes under way. */
const GROWTH_BYTES_MAX = 64 * MIB;
/** A transfer stands when nothing has moved for this long. */
const STILL_MS = 1500;

const functions = {
  deaf: `let go;
  const gone = new Promise((resolve) => { go = resolve; });
  export default { async fetch(request) {
    if (request.method === "GET") go();
    await gone;
    return new Response("unread");
  } };`,
  slow: `export default { async fetch(request) {
    for await (const piece of request.body) await new Promise((resolve) => setTimeout(resolve, 20));
    return new Response("read");
  } };`,
  pouring: `export default { fetch() {
    let left = ${BODY_BYTES};
    const pull = (controller) => {
      if (left === 0) return controller.close();
      left -= 100_000;
      controller.enqueue(new Uint8Array(100_000));
    };
    return new Response(new ReadableStream({ pull }));
  } };`,
};

describe("the memory of the gateway", () => {
  const server = new WitnessServer();
  before(async () => {
    await server.start();
    const settings = { concurrency: CALLERS + 1, maxSandboxes: 1, timeoutMs: 60_000 };
    for (const [name, code] of Object.entries(functions))
      await server.deploy(name, { "index.mjs": code }, settings);
    // What a gateway needs for the first bytes it ever moves is not what this is about.
    await (await fetch(`${server.gatewayUrl}/pouring`)).arrayBuffer();
    await fetch(`${server.gatewayUrl}/slow`, { method: "POST", body: Buffer.alloc(MIB) });
  });
  after(async () => {
    // Behind bytes that a function does not read, nobody sees that their sender has gone.
    await server.call("/deaf");
    await server.dispose();
  });

  /** Starts the transfers, waits until they stand or `untilMs` has passed, and says by how much the gateway had grown at most. */
  const growth = async (start: () => Transfer, untilMs: number): Promise<number> => {
    const pid = gatewayOf(server);
    const before = residentBytes(pid, "VmRSS");
    writeFileSync(`/proc/${pid}/clear_refs`, "5"); // the peak is counted from here
    const transfers = Array.from({ length: CALLERS }, start);
    await still(transfers, untilMs);
    for (const { moved } of transfers) assert.ok(moved() > 0, "nothing has moved");
    const peak = residentBytes(pid, "VmHWM");
    for (const { caller } of transfers) caller.leave();
    return peak - before;
  };

  const cases: [what: string, start: () => Transfer, untilMs: number][] = [
    ["bodies that functions do not read", () => upload(server, "/deaf"), 20_000],
    ["bodies that functions read slowly", () => upload(server, "/slow"), 4000],
    ["answers that callers do not read", () => download(server, "/pouring"), 20_000],
  ];
  for (const [what, start, untilMs] of cases)
    test(`is bounded under ${CALLERS} times 100 MB of ${what}`, async () => {
      const bytes = await growth(start, untilMs);
      const shown = `the gateway grew by ${(bytes / MIB).toFixed(1)} MiB`;
      assert.ok(bytes < GROWTH_BYTES_MAX, shown);
      assert.equal((await server.call("/witness/x")).status, 200);
    });

  test("leaves a gateway that serves", () => server.assertSound());
});

interface Transfer {
  caller: RawCaller;
  /** Bytes so far. */
  moved(): number;
}

function upload(server: WitnessServer, path: string): Transfer {
  const caller = new RawCaller(server.gatewayUrl);
  caller.send(`POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: ${BODY_BYTES}\r\n\r\n`);
  const piece = Buffer.alloc(100_000);
  let sent = 0;
  const next = () => {
    if (sent === BODY_BYTES || caller.socket.destroyed) return;
    sent += piece.length;
    caller.socket.write(piece, next);
  };
  next();
  return { caller, moved: () => sent };
}

function download(server: WitnessServer, path: string): Transfer {
  const caller = new RawCaller(server.gatewayUrl);
  caller.socket.pause();
  caller.send(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
  // Nothing is read, so what the gateway has sent shows nowhere here: one request is what has moved.
  return { caller, moved: () => caller.socket.bytesWritten };
}

async function still(transfers: Transfer[], untilMs: number): Promise<void> {
  let before = -1;
  for (let ms = 0; ms < untilMs; ms += STILL_MS) {
    await sleep(STILL_MS);
    const moved = transfers.reduce((sum, transfer) => sum + transfer.moved(), 0);
    if (moved === before) return;
    before = moved;
  }
}

function residentBytes(pid: number, field: "VmRSS" | "VmHWM"): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1]) * 1024;
}
