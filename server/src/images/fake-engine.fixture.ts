import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { extract } from "tar-stream";
import { labels } from "./image-inputs.ts";

export interface FakeImage {
  Id: string;
  RepoTags: string[] | null;
  Labels: Record<string, string>;
  Created: number;
  Size: number;
}

export interface FakeBuild {
  query: URLSearchParams;
  /** Paths in the context. */
  paths: string[];
  /** Says lines, and may wait before it does; what it returns is not ended by itself. */
  response: ServerResponse;
}

/** A Docker Engine as far as images go, with nothing behind it: for what a real one does only when it is broken. */
export interface FakeEngine {
  host: string;
  images: FakeImage[];
  /** `GET /images/json`, one for each request. */
  calls: string[];
  /** How builds go; by default they say a line and succeed. */
  onBuild: (build: FakeBuild) => Promise<void> | void;
  /** Why pulls fail; null: they succeed. */
  pullError: string | null;
  /** Answers nothing any more. */
  isHung: boolean;
  /** By name or id: why it is not removed. */
  inUse: Map<string, string>;
  close(): Promise<void>;
}

export async function startFakeEngine(): Promise<FakeEngine> {
  const dir = mkdtempSync(join(tmpdir(), "isola-engine-"));
  const path = join(dir, "docker.sock");
  const server = createServer((request, response) => void answer(engine, request, response));
  server.listen(path);
  await once(server, "listening");
  const engine: FakeEngine = {
    host: `unix://${path}`,
    images: [],
    calls: [],
    onBuild: (build) => succeed(engine, build),
    pullError: null,
    isHung: false,
    inUse: new Map(),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
      rmSync(dir, { recursive: true });
    },
  };
  return engine;
}

/** The ordinary end of a build. */
function succeed(engine: FakeEngine, { query, response }: FakeBuild): void {
  const given = JSON.parse(query.get("buildargs") ?? "{}") as Record<string, string>;
  say(response, { stream: "Step 1/1 : FROM base\n" });
  addImage(engine, query.get("t") as string, {
    [labels.inputs]: given.INPUTS as string,
    [labels.runtime]: given.RUNTIME as string,
    [labels.repository]: given.REPOSITORY as string,
    [labels.from]: given.BASE as string,
  });
  response.end();
}

export function say(response: ServerResponse, line: object): void {
  response.write(`${JSON.stringify(line)}\r\n`);
}

/** Gives the image its name, which another may have had. */
export function addImage(
  engine: FakeEngine,
  reference: string,
  imageLabels: Record<string, string> = {},
): FakeImage {
  for (const image of engine.images)
    image.RepoTags = (image.RepoTags ?? []).filter((tag) => tag !== reference);
  const at = engine.images.length + 1;
  const image: FakeImage = {
    Id: `sha256:${String(at).padStart(64, "0")}`,
    RepoTags: [reference],
    Labels: imageLabels,
    Created: 1_700_000_000 + at,
    Size: 1000,
  };
  engine.images.push(image);
  return image;
}

async function answer(engine: FakeEngine, request: IncomingMessage, response: ServerResponse) {
  const url = new URL(request.url ?? "/", "http://engine");
  const call = `${request.method} ${decodeURIComponent(url.pathname)}`;
  engine.calls.push(call);
  if (engine.isHung) return;
  if (call === "POST /build") return build(engine, url.searchParams, request, response);
  for await (const _chunk of request); // the rest of it is not looked at
  if (call === "GET /images/json") return send(response, 200, found(engine, url.searchParams));
  if (call === "POST /images/create") return pull(engine, url.searchParams, response);
  const [, verb, name = ""] = /^(GET|DELETE) \/images\/(.+?)(?:\/json)?$/.exec(call) ?? [];
  const image = engine.images.find(
    ({ Id, RepoTags }) => Id === name || RepoTags?.includes(name) === true,
  );
  if (image === undefined) return send(response, 404, { message: `No such image: ${name}` });
  if (verb === "GET") return send(response, 200, { Id: image.Id });
  const reason = engine.inUse.get(name);
  if (reason !== undefined) return send(response, 409, { message: reason });
  engine.images = engine.images.filter((one) => one !== image);
  send(response, 200, [{ Deleted: image.Id }]);
}

function found({ images }: FakeEngine, query: URLSearchParams): FakeImage[] {
  const filters = JSON.parse(query.get("filters") ?? "{}") as Record<string, string[]>;
  return images.filter(({ Labels, RepoTags }) => {
    const hasLabels = (filters.label ?? []).every((label) => {
      const [key = "", value] = label.split("=");
      return value === undefined ? key in Labels : Labels[key] === value;
    });
    const isNamed = (filters.reference ?? [""]).some((name) =>
      (RepoTags ?? []).some((tag) => tag.startsWith(name)),
    );
    const isDangling = filters.dangling === undefined || (RepoTags ?? []).length === 0;
    return hasLabels && (isNamed || filters.reference === undefined) && isDangling;
  });
}

async function build(
  engine: FakeEngine,
  query: URLSearchParams,
  request: IncomingMessage,
  response: ServerResponse,
) {
  const paths: string[] = [];
  for await (const entry of request.pipe(extract())) {
    paths.push(entry.header.name);
    entry.resume();
  }
  response.writeHead(200, { "content-type": "application/json" });
  response.flushHeaders();
  await engine.onBuild({ query, paths, response });
}

function pull(engine: FakeEngine, query: URLSearchParams, response: ServerResponse) {
  const reference = `${query.get("fromImage")}${query.has("tag") ? `:${query.get("tag")}` : ""}`;
  if (engine.pullError !== null) return send(response, 500, { message: engine.pullError });
  response.writeHead(200, { "content-type": "application/json" });
  say(response, { status: "Pulling from library/node", id: "26-slim" });
  addImage(engine, reference);
  response.end();
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
