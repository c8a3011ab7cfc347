import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import type { Socket } from "node:net";
import { fixedLimits } from "../domain/limits.ts";
import { type ErrorCode, IsolaError } from "../errors.ts";
import { failureAnswer } from "./error-body.ts";
import type { FunctionTable } from "./function-table.ts";
import { requestHeaderBlock } from "./headers.ts";
import { HttpReply, hasBody } from "./http-reply.ts";
import { Invocation, type InvocationContext } from "./invocation.ts";
import { StreamedBody } from "./request-body.ts";
import { allMethods } from "../domain/route-tree.ts";

export interface ListenerOptions {
  host: string;
  port: number;
  table: FunctionTable;
  context: InvocationContext;
  newId: () => string;
  onStart(): void;
  onProblem(message: string): void;
}

const REQUEST_LINE_BYTES_MAX = 8192;
const HEADERS_TIMEOUT_MS = 15_000;
const REQUEST_TIMEOUT_MS = 900_000;
const KEEP_ALIVE_MS = 65_000;
const knownMethods: ReadonlySet<string> = new Set(allMethods);

/** The functions listener: HTTP in, invocations out. It serves functions and nothing else. */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #server: Server;
  #isDraining = false;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#server = createServer(
      {
        maxHeaderSize: fixedLimits.headerBytesMax + REQUEST_LINE_BYTES_MAX,
        headersTimeout: HEADERS_TIMEOUT_MS,
        requestTimeout: REQUEST_TIMEOUT_MS,
        keepAliveTimeout: KEEP_ALIVE_MS,
        insecureHTTPParser: false,
        requireHostHeader: false, // asked for below, with an answer of our own
        noDelay: true,
        // Other upgrades (h2c) are an offer that HTTP lets a server ignore.
        shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === "websocket",
      },
      (request, response) => this.#onRequest(request, response),
    );
    this.#server.on("checkExpectation", (request: IncomingMessage, response: ServerResponse) => {
      const error = new IsolaError(
        "bad_http",
        "the only expectation that can be met is 100-continue",
      );
      this.#refuse(this.#options.newId(), request, response, error);
    });
    this.#server.on("clientError", (error, socket) => this.#onClientError(error, socket as Socket));
    this.#server.on("upgrade", (_request, socket) =>
      refuseRaw(
        socket as Socket,
        "400 Bad Request",
        "bad_http",
        "WebSocket and other upgrades are not supported",
      ),
    );
    this.#server.on("connect", (_request, socket) =>
      refuseRaw(socket as Socket, "400 Bad Request", "bad_http", "CONNECT is not supported"),
    );
  }

  /** Resolves with the port. Rejects with `port_taken`. */
  async listen(): Promise<number> {
    const { host, port } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", (error: NodeJS.ErrnoException) =>
        reject(listenFailure(error, host, port)),
      );
      this.#server.listen(port, host, 4096, resolve);
    });
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : port;
  }

  /** Stops accepting; connections end with their current answer. */
  drain(): void {
    this.#isDraining = true;
    this.#server.close();
    this.#server.closeIdleConnections();
  }

  close(): void {
    this.drain();
    this.#server.closeAllConnections();
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    const id = this.#options.newId();
    try {
      this.#invoke(id, request, response);
    } catch (error) {
      this.#refuse(id, request, response, error);
    }
  }

  #invoke(id: string, request: IncomingMessage, response: ServerResponse): void {
    const { table, context } = this.#options;
    const method = request.method as string;
    const url = request.url as string;
    if (url.charCodeAt(0) !== 0x2f)
      throw new IsolaError("bad_http", "the request target must begin with /");
    if (request.headers.host === undefined && request.httpVersion === "1.1")
      throw new IsolaError("bad_http", "the request has no Host header");
    const encoding = request.headers["transfer-encoding"];
    if (encoding !== undefined && encoding.toLowerCase() !== "chunked")
      throw new IsolaError("bad_http", "the only transfer-encoding taken is chunked");
    if (!knownMethods.has(method))
      throw new IsolaError("method_not_allowed", `${method} is not supported`);
    if (url.length > REQUEST_LINE_BYTES_MAX)
      throw new IsolaError(
        "bad_http",
        `the request target exceeds ${REQUEST_LINE_BYTES_MAX} bytes`,
      );
    const at = url.indexOf("?");
    const path = at === -1 ? url : url.slice(0, at);
    const headerBlock = requestHeaderBlock(request);
    const to = table.find(method, path);
    const invocation = new Invocation(
      context,
      table.poolOf(to.entry),
      {
        id,
        lines: {
          method,
          target: at === -1 ? to.path : to.path + url.slice(at),
          prefix: to.prefix,
          sourceAddress: request.socket.remoteAddress ?? "",
          httpVersion: `HTTP/${request.httpVersion}`,
          scheme: "http",
          routeKey: to.routeKey,
          pathParameters: to.pathParameters,
        },
        headerBlock,
        body: hasBody(request) ? new StreamedBody(request, declaredBytes(request)) : null,
        isEvent: false,
        path,
      },
      new HttpReply(request, response),
    );
    this.#options.onStart();
    if (this.#isDraining) response.shouldKeepAlive = false;
    invocation.start();
  }

  #refuse(id: string, request: IncomingMessage, response: ServerResponse, error: unknown): void {
    if (!(error instanceof IsolaError))
      this.#options.onProblem(`${id}: ${String((error as Error).stack ?? error)}`);
    const code = error instanceof IsolaError ? error.code : "internal_error";
    const message =
      error instanceof IsolaError ? error.message : "the gateway failed; its log says why";
    const allow = code === "method_not_allowed" ? this.#allowed(request) : undefined;
    const answer = failureAnswer({ code, message, requestId: id, phase: "route" }, allow);
    if (hasBody(request)) answer.headers.push("connection", "close");
    response.writeHead(answer.status, answer.headers);
    response.end(answer.body);
  }

  #allowed(request: IncomingMessage): string[] {
    const path = (request.url as string).split("?")[0] as string;
    return this.#options.table.methodsFor(path);
  }

  #onClientError(error: NodeJS.ErrnoException, socket: Socket): void {
    if (error.code === "ECONNRESET" || !socket.writable) {
      socket.destroy();
      return;
    }
    const [status, text] = clientErrors[error.code ?? ""] ?? [
      "400 Bad Request",
      `the request is not valid HTTP (${error.code})`,
    ];
    refuseRaw(socket, status, "bad_http", text);
  }
}

const clientErrors: Record<string, [string, string]> = {
  HPE_HEADER_OVERFLOW: [
    "431 Request Header Fields Too Large",
    "the request's headers are too large",
  ],
  ERR_HTTP_REQUEST_TIMEOUT: ["408 Request Timeout", "the request did not arrive in time"],
};

function refuseRaw(socket: Socket, status: string, code: ErrorCode, message: string): void {
  const body = JSON.stringify({ error: { code, message, phase: "route" } });
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nisola-error: ${code}\r\nconnection: close\r\n\r\n${body}`,
  );
}

function declaredBytes(request: IncomingMessage): number | null {
  const length = request.headers["content-length"];
  return length === undefined ? null : Number(length);
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
