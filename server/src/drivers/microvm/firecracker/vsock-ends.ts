import { type Server, type Socket, connect, createServer } from "node:net";
import { chmod, link } from "node:fs/promises";
import { messageOf } from "../../../errors.ts";
import type { StreamEnds, StreamName } from "../../driver.ts";
import type { MachineSocket } from "../vmm.ts";
import { failed } from "./api-client.ts";
import { names } from "./boot-calls.ts";
import { type Place, isAcross, socketPath } from "./place.ts";

/** images/microvm/README.md. */
const ports: Record<StreamName | "agent" | "socket", number> = {
  control: 1024,
  stdout: 1025,
  stderr: 1026,
  agent: 1027,
  socket: 1028,
};
const streamNames = ["control", "stdout", "stderr"] as const;

/**
 * The host's end of a machine's vsock: for each port that the guest dials, a unix socket that Firecracker connects to when it does.
 *
 * The agent's is the keeper's. Those of the streams are the gateway's own sockets, under a second name (a hard link: a socket is found by its inode), so that bytes go between VMM and
 * gateway and the keeper carries none. Only where the two folders are on different file systems, the keeper listens, and hands each byte on.
 */
export class VsockEnds {
  readonly #place: Place;
  readonly #servers: Server[] = [];
  readonly #agent = Promise.withResolvers<Socket>();

  private constructor(place: Place) {
    this.#place = place;
    this.#agent.promise.catch(() => {}); // told to whoever waits for it
  }

  /** Rejects with `sandbox_start_failed`, and then nothing listens. */
  static async open(
    place: Place,
    id: string,
    ends: StreamEnds | null,
    socket: MachineSocket | null = null,
  ): Promise<VsockEnds> {
    const opened = new VsockEnds(place);
    try {
      await opened.#listen(ports.agent, (socket) => opened.#onAgent(socket));
      if (ends !== null)
        for (const stream of streamNames) await opened.#openStream(id, stream, ends);
      if (socket !== null) await opened.#listen(ports.socket, (each) => socket.onChannel(each));
      return opened;
    } catch (error) {
      opened.close();
      throw failed(`the machine's vsock cannot be opened: ${messageOf(error)}`, error);
    }
  }

  /** The guest's first connection to the agent's port. Rejects when `close` comes before it. */
  get agent(): Promise<Socket> {
    return this.#agent.promise;
  }

  /** Nobody is listened to any more; what is connected stays. */
  close(): void {
    for (const server of this.#servers) server.close();
    this.#agent.reject(new Error("the vsock was closed"));
  }

  #onAgent(socket: Socket): void {
    socket.on("error", () => {}); // its end says all there is to say
    this.#agent.resolve(socket);
  }

  async #openStream(id: string, stream: StreamName, ends: StreamEnds): Promise<void> {
    const path = await ends.listen(id, stream);
    try {
      await link(path, this.#pathOf(ports[stream]));
    } catch (error) {
      if (!isAcross(error)) throw error;
      await this.#listen(ports[stream], (socket) => carry(socket, path));
    }
  }

  /** For one connection. */
  async #listen(port: number, onConnection: (socket: Socket) => void): Promise<void> {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      server.close();
      onConnection(socket);
    });
    server.maxConnections = 1;
    const path = this.#pathOf(port);
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(path, resolve);
    });
    this.#servers.push(server);
    // The folder keeps everybody else out; in it is another user.
    await chmod(path, 0o666);
  }

  #pathOf(port: number): string {
    return socketPath(this.#place, `${names.vsock}_${port}`);
  }
}

/** Both ways, until either has ended. A gateway that is not there is seen by the guest as a connection that breaks. */
function carry(guest: Socket, path: string): void {
  const gateway = connect({ path, allowHalfOpen: true });
  for (const [from, to] of [
    [guest, gateway],
    [gateway, guest],
  ] as const) {
    from.on("error", () => {}); // its close ends the other
    from.once("close", () => to.destroySoon());
    from.pipe(to);
  }
}
