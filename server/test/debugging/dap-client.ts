import { once } from "node:events";
import { type Socket, connect } from "node:net";
import { eventually } from "../harness.ts";

interface Message {
  type: "request" | "response" | "event";
  request_seq?: number;
  event?: string;
  success?: boolean;
  message?: string;
  body?: any;
}

/** A debugger for Python, as small as tests need it: the Debug Adapter Protocol over a connection. */
export class DapClient {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, (message: Message) => void>();
  readonly #events: Message[] = [];
  #bytes: Buffer = Buffer.alloc(0);
  #count = 0;

  static async connect(port: number): Promise<DapClient> {
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    return new DapClient(socket);
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("error", () => {}); // an answer that does not come is told by its wait
    socket.on("data", (bytes: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, bytes]);
      while (this.#readOne());
    });
  }

  /** Rejects with what the adapter says. */
  async send(command: string, args: object = {}): Promise<any> {
    this.#count += 1;
    const seq = this.#count;
    const answer = new Promise<Message>((resolve) => this.#waiting.set(seq, resolve));
    const text = JSON.stringify({ seq, type: "request", command, arguments: args });
    this.#socket.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
    const { success, message, body } = await answer;
    if (success !== true) throw new Error(`${command}: ${message}`);
    return body;
  }

  event(name: string): Promise<any> {
    return eventually(`the event ${name}`, async () => {
      const found = this.#events.find(({ event }) => event === name);
      return found === undefined ? null : (found.body ?? {});
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #readOne(): boolean {
    const headEnd = this.#bytes.indexOf("\r\n\r\n");
    if (headEnd === -1) return false;
    const length = /Content-Length: (\d+)/i.exec(this.#bytes.toString("latin1", 0, headEnd))?.[1];
    const end = headEnd + 4 + Number(length);
    if (this.#bytes.length < end) return false;
    const message = JSON.parse(this.#bytes.toString("utf8", headEnd + 4, end)) as Message;
    this.#bytes = this.#bytes.subarray(end);
    if (message.type === "event") this.#events.push(message);
    else this.#waiting.get(message.request_seq ?? 0)?.(message);
    return true;
  }
}
