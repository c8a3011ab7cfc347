import { once } from "node:events";
import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { eventually } from "../harness.ts";

/** A span as OTLP's JSON has it, with the attributes of its resource. */
export interface Received {
  name: string;
  /** 1 internal, 2 server. */
  kind: number;
  traceId: string;
  spanId: string;
  parentSpanId: string | undefined;
  startNs: bigint;
  endNs: bigint;
  status: { code: number; message?: string };
  attributes: Record<string, unknown>;
  resource: Record<string, unknown>;
  events: { name: string; atNs: bigint }[];
  flags: number;
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** What a collector answers that takes everything. */
export const taking: Answer = (_request, response) => {
  response.writeHead(200, { "content-type": "application/json" }).end("{}");
};

/** A collector of OpenTelemetry as far as OTLP/HTTP with JSON goes. `answer` is what it does once it has read a request. */
export class Collector {
  readonly spans: Received[] = [];
  readonly requests: { path: string; headers: IncomingMessage["headers"] }[] = [];
  answer: Answer = taking;
  readonly #server = createServer((request, response) => void this.#on(request, response));
  url = "";

  async start(port = 0): Promise<this> {
    this.#server.listen(port, "127.0.0.1");
    await once(this.#server, "listening");
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    return this;
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  /** The spans of one invocation by their names, its own as `call`; once they are all there, which comes with the first. */
  spansOf(invocationId: string): Promise<Record<string, Received> & { call: Received }> {
    return eventually(`the spans of ${invocationId}`, async () => {
      const call = this.spans.find(
        (span) => span.attributes["faas.invocation_id"] === invocationId,
      );
      if (call === undefined) return null;
      const parts = this.spans.filter((span) => span.parentSpanId === call.spanId);
      return { ...Object.fromEntries(parts.map((span) => [span.name, span])), call };
    });
  }

  async #on(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request);
    this.requests.push({ path: request.url ?? "", headers: request.headers });
    this.spans.push(...decoded(JSON.parse(body.toString())));
    this.answer(request, response);
  }
}

function decoded({ resourceSpans }: any): Received[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }: any) =>
    scopeSpans.flatMap(({ spans }: any) =>
      spans.map((span: any) => ({
        ...span,
        startNs: BigInt(span.startTimeUnixNano),
        endNs: BigInt(span.endTimeUnixNano),
        attributes: valuesOf(span.attributes),
        resource: valuesOf(resource.attributes),
        events: span.events.map((event: any) => ({
          name: event.name,
          atNs: BigInt(event.timeUnixNano),
        })),
      })),
    ),
  );
}

function valuesOf(attributes: { key: string; value: Record<string, unknown> }[]) {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [
      key,
      "intValue" in value ? Number(value.intValue) : Object.values(value)[0],
    ]),
  );
}
