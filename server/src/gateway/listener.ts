import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import { Server as NetServer, type Socket } from "node:net";
import { setImmediate as afterPoll, setTimeout as delay } from "node:timers/promises";
import { fixedLimits } from "../domain/limits.ts";
import { IsolaError } from "../errors.ts";
import type { CallCount } from "./admission.ts";
import type { CallTraces } from "./call-traces.ts";
import { CallerConnection, type ConnectionEvents } from "./caller-connection.ts";
import { TARGET_BYTES_MAX, checkRequest, isLast } from "./check-request.ts";
import { type Failure, failureAnswer, rawFailure } from "./error-body.ts";
import type { Destination, FunctionTable } from "./function-table.ts";
import { type CallerOrigin, type OriginOf, originReader } from "./caller-origin.ts";
import { requestHeaderBlock } from "./headers.ts";
import { HttpReply, hasBody } from "./http-reply.ts";
import type { InvocationContext } from "./invocation-context.ts";
import { Invocation } from "./invocation.ts";
import { type InvocationRequest, eventLines } from "./invocation-request.ts";
import { StreamedBody } from "./request-body.ts";
import { OpenAnswers } from "./open-answers.ts";
import { allMethods } from "../domain/route-tree.ts";

/** What callers may take of the gateway; settings of the server. */
export interface CallerLimits {
  connectionsMax: number;
  headersTimeoutMs: number;
  callerStallTimeoutMs: number;
  keepAliveTimeoutMs: number;
}

export interface ListenerOptions {
  /** A port for callers, or the path of a unix socket. */
  at: { host: string; port: number } | { path: string };
  limits: CallerLimits;
  /** Addresses and ranges; see caller-origin.ts. */
  trustedProxies: readonly string[];
  table: Pick<FunctionTable, "find" | "poolOf" | "methodsFor">;
  context: InvocationContext;
  newId: () => string;
  /** null: tracing is off. */
  traces: CallTraces | null;
  /** Throws `too_many_requests`. */
  admit(count: CallCount): void;
  onProblem(message: string): void;
}

/** For a whole request; a function's own deadlines end long before. */
const REQUEST_TIMEOUT_MS = 900_000;
/** How late a limit of time may be noticed. */
const CHECK_EVERY_MS = 1000;
const WARN_EVERY_MS = 60_000;
/** For the last answers, to callers who may not read them. */
const CLOSE_MS = 250;
const CLOSE_STEP_MS = 10;
const knownMethods: ReadonlySet<string> = new Set(allMethods);

/** The functions listener: HTTP in, invocations out. It serves functions and nothing else. */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #server: Server;
  readonly #originOf: OriginOf;
  readonly #connections = new Set<CallerConnection>();
  readonly #events: ConnectionEvents = {
    onTurn: (connection, reply) => this.#onTurn(connection, reply),
    refuse: (reply, error) => this.#refuse(reply, error),
    rawRefusal: (error) => rawFailure(this.#failure(this.#options.newId(), error)),
  };
  #checks: NodeJS.Timeout | null = null;
  #warnedAt = Number.NEGATIVE_INFINITY;
  readonly #answers: OpenAnswers;
  #draining: Promise<void> | null = null;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#originOf = originReader(options.trustedProxies);
    this.#answers = new OpenAnswers(options.context.clock);
    const { limits } = options;
    this.#server = createServer(
      {
        maxHeaderSize: fixedLimits.headerBytesMax + TARGET_BYTES_MAX,
        headersTimeout: limits.headersTimeoutMs,
        requestTimeout: REQUEST_TIMEOUT_MS,
        connectionsCheckingInterval: Math.min(CHECK_EVERY_MS, limits.headersTimeoutMs),
        keepAliveTimeout: limits.keepAliveTimeoutMs,
        insecureHTTPParser: false,
        requireHostHeader: false, // asked for below, with an answer of our own
        noDelay: true,
        shouldUpgradeCallback: () => false,
      },
      (request, response) => this.#onRequest(request, response),
    );
    this.#server.maxHeadersCount = 0; // beyond a count they would be left out in silence; their bytes are limited
    this.#server.maxConnections = limits.connectionsMax;
    this.#server.on("connection", (socket) => this.#onConnection(socket));
    this.#server.on("drop", () => this.#onDrop());
    const onExpectation = (request: IncomingMessage, response: ServerResponse) =>
      this.#onRequest(request, response);
    this.#server.on("checkContinue", onExpectation);
    this.#server.on("checkExpectation", onExpectation);
    this.#server.on("clientError", (error, socket) => onClientError(error, socket as Socket));
    this.#server.on("connect", ({ socket }) =>
      CallerConnection.of(socket).refuseTunnel(
        new IsolaError("bad_http", "CONNECT is not supported"),
      ),
    );
  }

  /** Resolves with the port; 0 for a path. Rejects with `port_taken`. */
  async listen(): Promise<number> {
    const { at, limits } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", (error: NodeJS.ErrnoException) =>
        reject("path" in at ? error : listenFailure(error, at.host, at.port)),
      );
      this.#server.listen({ ...at, backlog: 4096 }, resolve);
    });
    const everyMs = Math.min(CHECK_EVERY_MS, limits.callerStallTimeoutMs);
    this.#checks = setInterval(() => this.#endStalled(), everyMs).unref();
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  /** Accepts no further connection at once; resolves when every caller has its answer and the connections are closed. Idempotent. */
  drain(): Promise<void> {
    this.#draining ??= this.#drain();
    return this.#draining;
  }

  async #drain(): Promise<void> {
    this.#answers.drain();
    const alone = new AbortController();
    // What `http.Server` adds is to cut idle connections, on which the next request may be on its way.
    NetServer.prototype.close.call(this.#server, () => alone.abort());
    do {
      await this.#answers.settled(alone.signal);
      await afterPoll(); // what had arrived by now has been read
    } while (!this.#answers.isSettled && !alone.signal.aborted);
    this.#server.closeAllConnections();
  }

  /** The calls have ended, however they did; their answers get a moment to go out. */
  async close(): Promise<void> {
    for (let waitedMs = 0; this.#answers.owed > 0 && waitedMs < CLOSE_MS; waitedMs += CLOSE_STEP_MS)
      await delay(CLOSE_STEP_MS);
    this.#server.close();
    if (this.#checks !== null) clearInterval(this.#checks);
    this.#server.closeAllConnections();
  }

  #onConnection(socket: Socket): void {
    const connection = new CallerConnection(socket, this.#events);
    this.#connections.add(connection);
    socket.once("close", () => this.#connections.delete(connection));
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    this.#answers.owe(response);
    CallerConnection.of(request.socket).take(new HttpReply(request, response));
  }

  #onTurn(connection: CallerConnection, reply: HttpReply): void {
    const { request, response } = reply;
    reply.id = this.#options.newId();
    if (this.#draining !== null || isLast(request)) response.shouldKeepAlive = false;
    if (!response.shouldKeepAlive) connection.close();
    try {
      this.#invoke(reply);
    } catch (error) {
      this.#refuse(reply, error);
    }
  }

  #invoke(reply: HttpReply): void {
    const { table, context, traces } = this.#options;
    const { id, request, response } = reply;
    const method = request.method as string;
    const url = request.url as string;
    checkRequest(request, url);
    if (!knownMethods.has(method))
      throw new IsolaError("method_not_allowed", `${method} is not supported`);
    const at = url.indexOf("?");
    const path = at === -1 ? url : url.slice(0, at);
    const trace = traces === null ? null : traces.begin(...traceHeaders(request));
    const origin = this.#originOf(request);
    const headers = requestHeaderBlock(request, trace, origin);
    const to = table.find(method, path);
    const { isEvent = false } = to;
    const pool = table.poolOf(to.entry);
    this.#options.admit(to.entry);
    const invocation = new Invocation(
      context,
      pool,
      {
        id,
        lines: isEvent ? eventLines : linesOf(request, to, origin, at === -1 ? "" : url.slice(at)),
        headerBlock: isEvent ? "" : headers,
        body: hasBody(request) ? bodyOf(request, response) : null,
        isEvent,
        trace: trace?.place ?? null,
        count: to.entry,
        path,
      },
      reply,
    );
    invocation.start();
  }

  #refuse(reply: HttpReply, error: unknown): void {
    const id = reply.id === "" ? this.#options.newId() : reply.id;
    if (!(error instanceof IsolaError))
      this.#options.onProblem(`${id}: ${String((error as Error).stack ?? error)}`);
    const answer = this.#failure(id, error);
    if (error instanceof IsolaError && error.code === "method_not_allowed")
      answer.headers.push("allow", this.#allowed(reply.request).join(", "));
    // Where such a request ends may be what is wrong with it.
    if (error instanceof IsolaError && error.code === "bad_http") {
      reply.response.shouldKeepAlive = false;
      CallerConnection.of(reply.request.socket).close();
    }
    reply.refuse(answer);
  }

  #failure(requestId: string, error: unknown): Failure {
    const isOurs = error instanceof IsolaError;
    const code = isOurs ? error.code : "internal_error";
    const message = isOurs ? error.message : "the gateway failed; its log says why";
    return failureAnswer({ code, message, requestId, phase: "route" });
  }

  #allowed(request: IncomingMessage): string[] {
    const path = (request.url as string).split("?")[0] as string;
    return this.#options.table.methodsFor(path);
  }

  #endStalled(): void {
    const { context, limits } = this.#options;
    const now = context.clock.now();
    for (const connection of this.#connections) {
      const what = connection.stalled(now, limits.callerStallTimeoutMs);
      if (what === "answer") connection.socket.destroy();
      if (what !== "body" || connection.current === null) continue;
      const text = `the body stopped coming for ${limits.callerStallTimeoutMs} ms`;
      this.#refuse(connection.current, new IsolaError("request_timeout", text));
    }
  }

  #onDrop(): void {
    const now = this.#options.context.clock.now();
    if (now - this.#warnedAt < WARN_EVERY_MS) return;
    this.#warnedAt = now;
    const { connectionsMax } = this.#options.limits;
    this.#options.onProblem(
      `callers hold ${connectionsMax} connections, as many as connectionsMax allows: further ones are closed`,
    );
  }
}

/** Where they came more than once they are joined with a comma. */
function traceHeaders({ headers }: IncomingMessage): [string | undefined, string | undefined] {
  return [headers.traceparent as string | undefined, headers.tracestate as string | undefined];
}

/** `query` with its question mark. */
function linesOf(
  request: IncomingMessage,
  { path, prefix, routeKey, pathParameters }: Destination,
  { address, scheme }: CallerOrigin,
  query: string,
): InvocationRequest["lines"] {
  return {
    method: request.method as string,
    target: path + query,
    prefix,
    sourceAddress: address,
    httpVersion: `HTTP/${request.httpVersion}`,
    scheme,
    routeKey,
    pathParameters,
  };
}

function bodyOf(request: IncomingMessage, response: ServerResponse): StreamedBody {
  const { "content-length": length, expect } = request.headers;
  const waits = expect !== undefined && request.httpVersionMinor === 1;
  return new StreamedBody(
    request,
    length === undefined ? null : Number(length),
    waits ? () => response.writeContinue() : null,
  );
}

function onClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  const { code = "" } = error;
  if (code === "ERR_HTTP_REQUEST_TIMEOUT")
    return fail(socket, new IsolaError("request_timeout", "the request did not arrive in time"));
  if (code === "HPE_HEADER_OVERFLOW")
    return fail(socket, new IsolaError("headers_too_large", "the headers are too large"));
  if (code.startsWith("HPE_"))
    return fail(socket, new IsolaError("bad_http", `the request is not valid HTTP (${code})`));
  socket.destroy(); // an error of the socket: nobody is there to be told
}

function fail(socket: Socket, error: IsolaError): void {
  CallerConnection.of(socket).fail(error);
}

function listenFailure(error: NodeJS.ErrnoException, host: string, port: number): IsolaError {
  const how =
    error.code === "EADDRINUSE"
      ? "is taken: stop what listens there"
      : `cannot be used (${error.message})`;
  return new IsolaError(
    "port_taken",
    `port ${port} on ${host} ${how}, or choose another with --gateway-port or ISOLA_GATEWAY_PORT (0 takes any free one)`,
    { cause: error },
  );
}
