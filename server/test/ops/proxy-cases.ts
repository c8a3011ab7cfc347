import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type IncomingMessage, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { after, before, describe, test } from "node:test";
import { eventually, TestServer } from "../harness.ts";
import { freePort } from "../prometheus/real-prometheus.ts";

/** What a proxy has to be told. Both names are `localhost`, each at a port of its own. */
export interface ProxyPlace {
  /** A folder for everything that it writes. */
  dir: string;
  certificate: string;
  key: string;
  functionsPort: number;
  apiPort: number;
  /** `127.0.0.1:8080` */
  functionsUpstream: string;
  apiUpstream: string;
}

export interface RunningProxy {
  close(): Promise<void>;
}

interface Asked {
  port: number;
  path: string;
  method?: string;
  headers?: Record<string, string>;
  body?: Buffer | string;
}

const echo = `import { createHash } from "node:crypto";
export default { async fetch(request) {
  const bytes = Buffer.from(await request.arrayBuffer());
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return Response.json({ url: request.url, headers: Object.fromEntries(request.headers), bytes: bytes.length, sha256 });
} };`;

/** Its second event comes when somebody calls /release, which reaches the same sandbox. */
const events = `let release;
const released = new Promise((resolve) => { release = resolve; });
async function* stream() {
  yield new TextEncoder().encode("data: first\\n\\n");
  await released;
  yield new TextEncoder().encode("data: second\\n\\n");
}
export default { async fetch(request) {
  if (new URL(request.url).pathname === "/release") { release(); return new Response("released"); }
  return new Response(ReadableStream.from(stream()), { headers: { "content-type": "text/event-stream" } });
} };`;

const consoleDir = fileURLToPath(new URL("../../../console/dist", import.meta.url));

const openssl = "openssl";
/** Not the proxy's own address. */
const caller = "127.0.0.2";

/** What has to hold for callers behind any proxy, with the configuration that `ops/proxy` has for it. */
export function proxyCases(
  name: string,
  skip: string | false,
  start: (place: ProxyPlace) => Promise<RunningProxy>,
): void {
  describe(`behind ${name}`, { skip, timeout: 60_000 }, () => {
    const dir = mkdtempSync(join(tmpdir(), "isola-proxy-"));
    let server: TestServer;
    let proxy: RunningProxy | null = null;
    let place: ProxyPlace;
    let ca: Buffer;

    function ask({ port, path, method = "GET", headers = {}, body = "" }: Asked) {
      const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
      const request = httpsRequest(
        {
          ...{ host: "127.0.0.1", port, path, method, agent: false },
          ...{ localAddress: caller, ca, servername: "localhost" },
        },
        resolve,
      );
      request.setHeader("host", `localhost:${port}`);
      for (const [header, value] of Object.entries(headers)) request.setHeader(header, value);
      request.on("error", reject);
      request.end(body);
      return promise;
    }

    async function json(asked: Asked): Promise<any> {
      const answer = await ask(asked);
      assert.equal(answer.statusCode, 200, asked.path);
      return JSON.parse(await textOf(answer));
    }

    before(async () => {
      const certificate = join(dir, "certificate.pem");
      const key = join(dir, "key.pem");
      const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
      const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
      const files = ["-keyout", key, "-out", certificate, "-days", "1"];
      execFileSync(openssl, ["req", "-x509", ...curve, ...subject, ...files], {
        stdio: "ignore",
      });
      ca = readFileSync(certificate);
      const functionsPort = await freePort();
      const apiPort = await freePort();
      server = new TestServer({
        ISOLA_BLANK_NODEJS: "0",
        ISOLA_BLANK_PYTHON: "0",
        ISOLA_PUBLIC_URL: `https://localhost:${functionsPort}`,
        ISOLA_ALLOWED_HOSTS: "isola.example.com",
        ISOLA_TRUSTED_PROXIES: "127.0.0.1",
      });
      await server.start();
      place = {
        ...{ dir, certificate, key, functionsPort, apiPort },
        functionsUpstream: new URL(server.gatewayUrl).host,
        apiUpstream: new URL(server.apiUrl).host,
      };
      proxy = await start(place);
      await server.deploy("echo", { "index.mjs": echo });
      await server.deploy("events", { "index.mjs": events }, { concurrency: 4, maxSandboxes: 1 });
      await eventually("the proxy", () =>
        ask({ port: functionsPort, path: "/" }).then(
          (answer) => answer.resume(),
          () => null,
        ),
      );
    });
    after(async () => {
      await proxy?.close();
      await server?.dispose();
      rmSync(dir, { recursive: true, force: true });
    });

    test("a function is told the caller's address and https, whatever the caller writes", async () => {
      const headers = {
        "x-forwarded-for": "6.6.6.6",
        "x-forwarded-proto": "http",
        "x-forwarded-host": "evil.example",
        "x-real-ip": "6.6.6.6",
        forwarded: "for=6.6.6.6",
      };
      const port = place.functionsPort;
      const told = await json({ port, path: "/echo/a%20b/%C3%BC?q=1&q=2", headers });
      assert.equal(told.url, `https://localhost:${port}/a%20b/%C3%BC?q=1&q=2`);
      assert.equal(told.headers["x-forwarded-for"], caller);
      assert.equal(told.headers["x-forwarded-proto"], "https");
      assert.equal(told.headers["x-forwarded-host"], `localhost:${port}`);
      assert.deepEqual([told.headers["x-real-ip"], told.headers.forwarded], [undefined, undefined]);
    });

    test("who goes around it is not believed", async () => {
      const headers = { "x-forwarded-for": "6.6.6.6", "x-forwarded-proto": "https" };
      const { promise, resolve } = Promise.withResolvers<IncomingMessage>();
      const direct = { localAddress: caller, headers, agent: false };
      httpRequest(`${server.gatewayUrl}/echo/`, direct, resolve).end();
      const told = JSON.parse(await textOf(await promise));
      assert.equal(told.headers["x-forwarded-for"], caller);
      assert.equal(told.headers["x-forwarded-proto"], "http");
    });

    test("a body of 10 MiB arrives as it is", async () => {
      const body = Buffer.alloc(10 * 1_048_576, "Isola ");
      const sha256 = createHash("sha256").update(body).digest("hex");
      const port = place.functionsPort;
      const told = await json({ port, path: "/echo/", method: "POST", body });
      assert.deepEqual([told.bytes, told.sha256], [body.length, sha256]);
    });

    test("the first event of a stream arrives before the second is sent", async () => {
      const port = place.functionsPort;
      const stream = await ask({ port, path: "/events/" });
      const parts = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
      assert.equal(String((await parts.next()).value), "data: first\n\n");
      const released = await ask({ port, path: "/events/release" });
      assert.equal(await textOf(released), "released");
      assert.equal(String((await parts.next()).value), "data: second\n\n");
    });

    test("Isola's own errors come through", async () => {
      const answer = await ask({ port: place.functionsPort, path: "/nothing" });
      assert.equal(answer.statusCode, 404);
      assert.equal(JSON.parse(await textOf(answer)).error.code, "route_not_found");
      assert.match(String(answer.headers["isola-request-id"]), /^inv-/);
    });

    test("the console's page loads, and one signs in there; another site's page cannot", async () => {
      const port = place.apiPort;
      // Where the console is not built, the page of the API stands for it.
      const headers = { accept: "text/html" };
      const path = existsSync(consoleDir) ? "/" : "/docs/";
      const page = await ask({ port, path, headers });
      assert.equal(page.statusCode, 200);
      assert.match(await textOf(page), /<html|<!doctype/i);
      const body = JSON.stringify({ key: server.adminKey });
      const type = { "content-type": "application/json" };
      const from = (origin: string) =>
        ask({
          ...{ port, body, path: "/api/v1/session", method: "POST" },
          headers: { ...type, origin, "sec-fetch-site": "same-origin" },
        });
      const own = await from(`https://localhost:${port}`);
      assert.equal(own.statusCode, 201, await textOf(own));
      assert.match(String(own.headers["set-cookie"]), /^__Host-isola-session=.*Secure; HttpOnly/);
      assert.equal((await from("https://evil.example")).statusCode, 403);
    });

    test("the API answers to the names that it was told alone", async () => {
      const authorization = `Bearer ${server.adminKey}`;
      const told = async (host: string) => {
        const headers = { authorization, host };
        return await textOf(await ask({ port: place.apiPort, path: "/api/v1/system", headers }));
      };
      assert.match(await told("localhost"), /"version"/);
      assert.doesNotMatch(await told("rebound.example"), /"version"/);
    });
  });
}

async function textOf(answer: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of answer) parts.push(part as Buffer);
  return Buffer.concat(parts).toString("utf8");
}
