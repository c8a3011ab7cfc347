import assert from "node:assert/strict";
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { type TestContext, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { standInTools } from "../images/guest/own-kernel/stand-in-tools.fixture.ts";
import { GuestWork } from "./guest-work.ts";
import type { Log } from "./ports.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const quiet = { info() {}, warn() {}, error() {} } as unknown as Log;
/** No runtime has this name: the kernel alone is built. */
const asked = { runtime: "none", isFresh: false, withKernel: true, requestId: "r" };

async function opened(t: TestContext, compile?: string) {
  const tools = await standInTools(t, compile === undefined ? {} : { compile });
  const { folder, source: kernelSource } = tools;
  const work = new GuestWork({ root, python: null, folder, kernel: null, kernelSource }, quiet);
  t.after(() => work.close());
  return { work, folder };
}

async function eventsOf(lines: Readable) {
  const events: { type: string; [member: string]: unknown }[] = [];
  for await (const line of createInterface({ input: lines })) events.push(JSON.parse(line));
  return events;
}

describe("the build of a kernel", { timeout: 60_000 }, () => {
  test("is told as it goes, and its removal with names", async (t) => {
    const { work } = await opened(t);
    const events = await eventsOf(await work.build(asked));
    const image = events.find(({ type }) => type === "image");
    assert.deepEqual([image?.runtime, image?.wasBuilt], ["kernel", true]);
    assert.match(String(events[0]?.text), /^configuring Linux 6\.1\.999/);
    assert.equal(events.at(-1)?.type, "done");
    const again = await eventsOf(await work.build(asked));
    assert.equal(again.find(({ type }) => type === "image")?.wasBuilt, false);
    assert.deepEqual(await work.removeKernels(), [image?.reference]);
  });

  test("ends when its caller goes", async (t) => {
    const { work, folder } = await opened(t, "echo began >&2; sleep 600");
    const lines = await work.build(asked);
    const reading = createInterface({ input: lines });
    for await (const line of reading) if (line.includes("began")) break;
    lines.destroy();
    await once(lines, "close");
    while ((await readdir(folder)).length > 0)
      await new Promise((resolve) => setTimeout(resolve, 5));
  });

  test("ends when such kernels are removed, and its caller is told why", async (t) => {
    const { work, folder } = await opened(t, "echo began >&2; sleep 600");
    const lines = await work.build(asked);
    const events = eventsOf(lines);
    while (!(await readdir(folder)).some((name) => name.startsWith(".unfinished-")))
      await new Promise((resolve) => setTimeout(resolve, 5));
    assert.deepEqual(await work.removeKernels(), []);
    const last = (await events).at(-1) as { error?: { code: string; message: string } };
    assert.equal(last.error?.code, "conflict");
    assert.match(last.error?.message ?? "", /ended by a call that removes such kernels/);
    assert.deepEqual(await readdir(folder), []);
  });
});
