import { type IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { DEBUGGER_UPGRADE } from "@isola/api/debugger-upgrade";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { IsolaError } from "../errors.ts";

const waiting = new WeakMap<IncomingMessage, { socket: Duplex; response: ServerResponse }>();

/** Whether a request asks for the one protocol that is upgraded to; all others are answered as if they had not asked. */
export function wantsUpgrade({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === DEBUGGER_UPGRADE;
}

/** Lets requests that want it take the way of all others, with its checks, until their route takes the connection by `takeConnection`. */
export function routeUpgrades(app: FastifyInstance): void {
  app.server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on("error", () => socket.destroy());
    if (head.length > 0) socket.unshift(head);
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(socket as never);
    response.on("finish", () => socket.end());
    waiting.set(request, { socket, response });
    app.routing(request, response);
  });
}

/** Throws `invalid_request` where the connection cannot be had. Whoever asks may still refuse before. */
export function checkUpgrade(request: FastifyRequest): void {
  if (waiting.has(request.raw)) return;
  const text = `expected \`Connection: Upgrade\` and \`Upgrade: ${DEBUGGER_UPGRADE}\`, given a plain request`;
  throw new IsolaError("invalid_request", text);
}

/** The connection, after the answer 101: from here on its bytes are the caller's. */
export function takeConnection(request: FastifyRequest, reply: FastifyReply): Duplex {
  checkUpgrade(request);
  const { socket, response } = waiting.get(request.raw) as {
    socket: Duplex;
    response: ServerResponse;
  };
  const id = reply.getHeader("isola-request-id") as string;
  reply.hijack();
  response.detachSocket(socket as never);
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: ${DEBUGGER_UPGRADE}\r\nisola-request-id: ${id}\r\n\r\n`,
  );
  return socket;
}
