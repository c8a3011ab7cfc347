import { once } from "node:events";
import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import { asIsolaError, errorBody } from "./error-answer.ts";
import { IsolaError, messageOf } from "../errors.ts";
import { EXPOSITION_TYPE } from "../metrics/exposition/exposition-text.ts";
import { hostGuard } from "./host-guard.ts";

export interface ExpositionListenerOptions {
  host: string;
  port: number;
  /** `Host` names it answers to, beside loopback and `host`. */
  allowedHosts: readonly string[];
  text(): string;
}

const CONNECTIONS_MAX = 64;
const REQUEST_MS_MAX = 10_000;

/** `GET /metrics` on a port of its own, without a key, and nothing else. Life: `open -> closed`. */
export class ExpositionListener {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Rejects with `port_taken` where it cannot listen there. */
  static async open(options: ExpositionListenerOptions): Promise<ExpositionListener> {
    const { host, port, allowedHosts, text } = options;
    const guard = hostGuard([...allowedHosts, host]);
    const limits = { requestTimeout: REQUEST_MS_MAX, headersTimeout: REQUEST_MS_MAX };
    const server = createServer(limits, (request, response) => {
      try {
        guard(request.method ?? "", request.headers);
        checkAsked(request);
        answer(response, { status: 200, type: EXPOSITION_TYPE, text: text() });
      } catch (error) {
        const failure = asIsolaError(error);
        const told = JSON.stringify(errorBody(failure, ""));
        answer(response, { status: failure.status, type: "application/json", text: told });
      }
    });
    server.maxConnections = CONNECTIONS_MAX;
    server.listen(port, host);
    await once(server, "listening").catch((cause: unknown) => {
      const message = `/metrics cannot be told on ${host}, port ${port}: ${messageOf(cause)}; choose others with --metrics-host and --metrics-port`;
      throw new IsolaError("port_taken", message, { cause });
    });
    return new ExpositionListener(server);
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }
}

function checkAsked({ method, url = "" }: IncomingMessage): void {
  const [path = ""] = url.split("?");
  if (method === "GET" && path === "/metrics") return;
  throw new IsolaError("not_found", `there is only GET /metrics here, no ${method} ${path}`);
}

function answer(
  response: ServerResponse,
  told: { status: number; type: string; text: string },
): void {
  response.writeHead(told.status, {
    "content-type": told.type,
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
  });
  response.end(told.text);
}
