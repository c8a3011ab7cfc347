import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import type { Socket } from "node:net";
import { type Call, Fault, parseBody } from "./body.ts";
import type { Trouble } from "./config.ts";
import type { Microvm } from "./microvm.ts";

const BODY_BYTES_MAX = 51_200;

export interface ApiOptions {
  id: string;
  version: string;
  microvm: Microvm;
  trouble: Trouble | null;
}

/** Firecracker's API, as far as Isola calls it: one call after the other, 204 or 200 for what was done, 400 with `fault_message` for what was not. */
export function apiServer(options: ApiOptions): Server {
  let last = Promise.resolve();
  return createServer((request, response) => {
    last = last.then(() => answer(options, request, response));
  });
}

async function answer(
  options: ApiOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { trouble } = options;
  const call = `${request.method} ${request.url}`;
  const body = await bodyOf(request);
  if (trouble?.at === call) return makeTrouble(trouble, response);
  const text = await carryOut(options, call, body).catch((error: unknown) => error as Error);
  if (trouble?.at === `after ${call}`) return makeTrouble(trouble, response);
  if (text instanceof Error) {
    const why = text instanceof Fault ? text.message : `the stand-in failed: ${text.stack}`;
    return send(response, 400, { fault_message: why });
  }
  return text === null ? send(response, 204, null) : send(response, 200, text);
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = "";
  for await (const part of request as AsyncIterable<Buffer>)
    body = (body + part.toString("utf8")).slice(0, BODY_BYTES_MAX);
  return body;
}

/** Resolves with what is answered; null: nothing. */
async function carryOut(
  { id, version, microvm }: ApiOptions,
  call: string,
  body: string,
): Promise<object | null> {
  const about = { id, state: microvm.state, vmm_version: version, app_name: "Firecracker" };
  const [, drive] = /^PUT \/drives\/(.*)$/.exec(call) ?? [];
  if (drive !== undefined) microvm.setDrive(drive, parseBody("PUT /drives", body));
  else if (call === "GET /") return about;
  else if (call === "GET /version") return { firecracker_version: version };
  else await callsOf(microvm)(call as Call, body);
  return null;
}

function callsOf(microvm: Microvm) {
  const calls: Partial<Record<Call, (body: Record<string, unknown>) => void | Promise<void>>> = {
    "PUT /boot-source": (body) => microvm.setBootSource(body),
    "PUT /machine-config": (body) => microvm.setMachine(body),
    "PUT /vsock": (body) => microvm.setVsock(body),
    "PUT /entropy": () => microvm.setEntropy(),
    "PUT /serial": (body) => microvm.setSerial(body),
    "PUT /actions": (body) => microvm.act(body),
    "PATCH /vm": (body) => microvm.setState(body),
    "PUT /snapshot/create": (body) => microvm.save(body),
    "PUT /snapshot/load": (body) => microvm.load(body),
  };
  return async (call: Call, body: string) => {
    const found = calls[call];
    const [method, path = ""] = call.split(" ");
    if (found === undefined)
      throw new Fault(`Invalid request method and/or path: ${method} ${path.slice(1)}.`);
    await found(parseBody(call, body));
  };
}

function send(response: ServerResponse, status: number, answered: object | null): void {
  const text = answered === null ? "" : JSON.stringify(answered);
  const type = answered === null ? {} : { "content-type": "application/json" };
  response.writeHead(status, { server: "Firecracker API", connection: "keep-alive", ...type });
  response.end(text);
}

function makeTrouble({ does }: Trouble, response: ServerResponse): void {
  const socket = response.socket as Socket;
  if (does === "die") process.kill(process.pid, "SIGKILL");
  if (does === "garbage") socket.end("\0\0 nothing that HTTP knows\r\n\r\n");
  if (does === "text") response.writeHead(400).end("<html>no</html>");
  if (does === "huge") {
    response.writeHead(200);
    const more = () => {
      while (!response.destroyed && response.write("x".repeat(65_536)));
    };
    response.on("drain", more);
    more();
  }
}
