import { once } from "node:events";
import { eventually } from "../harness.ts";

interface Message {
  id?: number;
  method?: string;
  params?: any;
  result?: any;
  error?: { message: string };
}

/** A debugger for Node.js, as small as tests need it: the Chrome DevTools Protocol over a WebSocket. */
export class CdpClient {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (message: Message) => void>();
  readonly #events: Message[] = [];
  #count = 0;

  /** As editors do: asks the port for what can be debugged, and connects to that. */
  static async attach(port: number): Promise<CdpClient> {
    const answer = await fetch(`http://127.0.0.1:${port}/json/list`);
    const [target] = (await answer.json()) as { webSocketDebuggerUrl: string }[];
    const socket = new WebSocket(target?.webSocketDebuggerUrl as string);
    await once(socket, "open");
    const client = new CdpClient(socket);
    await client.send("Runtime.enable");
    await client.send("Debugger.enable");
    return client;
  }

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => {
      const message = JSON.parse(String(data)) as Message;
      if (message.id === undefined) this.#events.push(message);
      else this.#waiting.get(message.id)?.(message);
    });
  }

  async send(method: string, params: object = {}): Promise<any> {
    this.#count += 1;
    const id = this.#count;
    const answer = new Promise<Message>((resolve) => this.#waiting.set(id, resolve));
    this.#socket.send(JSON.stringify({ id, method, params }));
    const { error, result } = await answer;
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result;
  }

  /** Resolves with the top frame, and forgets the pause. */
  async paused(): Promise<{ callFrameId: string; url: string; line: number }> {
    const { params } = await eventually("a pause", async () => {
      const at = this.#events.findIndex(({ method }) => method === "Debugger.paused");
      return at === -1 ? null : this.#events.splice(at, 1)[0];
    });
    const [{ callFrameId, url, location }] = params.callFrames;
    const scripts = this.#events.filter(({ method }) => method === "Debugger.scriptParsed");
    const script = scripts.find((each) => each.params.scriptId === location.scriptId);
    return { callFrameId, url: url || script?.params.url, line: location.lineNumber + 1 };
  }

  async evaluate(callFrameId: string, expression: string): Promise<unknown> {
    const { result } = await this.send("Debugger.evaluateOnCallFrame", { callFrameId, expression });
    return result.value;
  }

  close(): void {
    this.#socket.close();
  }
}
