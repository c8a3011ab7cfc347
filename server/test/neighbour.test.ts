import { strict as assert } from "node:assert";
import { after, describe, test } from "node:test";
import { TestServer } from "./harness.ts";

const TIMEOUT_MS = 2000;

/** Python that takes all it can get of one thing until its time is up. */
const greedy = {
  "fork-bomb": "while True:\n    try: os.fork()\n    except OSError: pass",
  "thread-bomb":
    "while True:\n    try: threading.Thread(target=time.sleep, args=(600,)).start()\n    except RuntimeError: pass",
  memory: "kept = []\nwhile True: kept.append(bytearray(1 << 22))",
  "memory-of-a-child":
    "if os.fork() == 0:\n    kept = []\n    while True: kept.append(bytearray(1 << 22))\ntime.sleep(600)",
  "temporary-files":
    "while True:\n    try:\n        with open('/tmp/full', 'wb') as file:\n            while True: file.write(bytes(1 << 20))\n    except OSError: pass",
  "empty-files": "for at in range(1 << 20): open(f'/tmp/{at}', 'wb').close()",
  descriptors:
    "kept = []\nwhile True:\n    try: kept.append(os.open('/dev/null', os.O_RDONLY))\n    except OSError: pass",
  "log-flood": "while True: print('x' * 1000)",
  "output-flood": "while True: os.write(1, b'x' * 1000 + b'\\n')",
  "error-flood": "while True: os.write(2, b'x' * 1000)",
  "all-processors":
    "for _ in range(2 * os.cpu_count()):\n    if os.fork() == 0:\n        while True: pass\nwhile True: pass",
};

const echo = {
  nodejs: {
    "index.mjs":
      "export default { fetch: async (request) => new Response('node ' + (await request.text())) }",
  },
  python: {
    "app.py": `def handler(event, context):
    return {"statusCode": 200, "body": "python " + event["body"]}`,
  },
};

const endless = {
  "index.mjs": `export default { fetch: () => new Response(new ReadableStream({
  pull: (controller) => controller.enqueue(new Uint8Array(65536)),
})) }`,
};

/** None of them can end well; one that is late to start among the others may not start at all. */
const outcomes = [
  ...["function_timeout", "out_of_memory", "sandbox_exited", "function_error"],
  "init_timeout",
];

function greedyFiles(lines: string): Record<string, string> {
  const body = lines.replaceAll(/^/gm, "    ");
  return { "app.py": `import os, threading, time\ndef handler(event, context):\n${body}\n` };
}

describe("a function beside greedy ones", { timeout: 120_000 }, () => {
  const server = new TestServer();
  after(() => server.dispose());
  const python = { runtime: "python", handler: "app.handler", memoryMiB: 128 };

  test("answers every call, with its own body, whatever they take", async () => {
    await server.start();
    await server.deploy("node-echo", echo.nodejs);
    await server.deploy("python-echo", echo.python, python);
    for (const [name, lines] of Object.entries(greedy))
      await server.deploy(name, greedyFiles(lines), { ...python, timeoutMs: TIMEOUT_MS });
    await server.deploy("endless", endless, { timeoutMs: TIMEOUT_MS });
    const neighbours = [neighbour(server, "node"), neighbour(server, "python")];
    await Promise.all(neighbours.map((each) => each.call()));

    const ends = Object.keys(greedy).map(async (name) => [name, await server.call(`/${name}`)]);
    const endings = Promise.all([...ends, readAll(server, "/endless")]);
    const calling = neighbours.map((each) => each.callUntil(endings));
    const results = await endings;
    for (const [name, { status, text, json }] of results.filter(isAnswer))
      assert(outcomes.includes(json?.error?.code), `${name}: ${status} ${text}`);
    for (const calls of await Promise.all(calling)) assert(calls > 0);
    await Promise.all(neighbours.map((each) => each.call()));
    assert.doesNotMatch(server.log, /not seen to be gone/);
  });
});

type Answer = Awaited<ReturnType<TestServer["call"]>>;

function isAnswer(result: unknown): result is [name: string, answer: Answer] {
  return Array.isArray(result);
}

/** Reads a response without an end for as long as it lasts. */
async function readAll(server: TestServer, path: string): Promise<number> {
  let bytes = 0;
  try {
    const response = await fetch(server.gatewayUrl + path);
    for await (const chunk of response.body ?? []) bytes += chunk.length;
  } catch {
    // It was cut, as it has to be.
  }
  return bytes;
}

function neighbour(server: TestServer, language: "node" | "python") {
  let calls = 0;
  const call = async () => {
    calls += 1;
    const { status, text } = await server.call(`/${language}-echo`, {
      method: "POST",
      body: `call ${calls}`,
    });
    assert.deepEqual({ status, text }, { status: 200, text: `${language} call ${calls}` });
  };
  const callUntil = async (end: Promise<unknown>) => {
    let isOver = false;
    void end.finally(() => {
      isOver = true;
    });
    while (!isOver) await call();
    return calls;
  };
  return { call, callUntil };
}
