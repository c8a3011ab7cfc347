import { Agent, type IncomingMessage, request } from "node:http";

/** Why a caller stopped: told to, by the server, or because a call failed. */
export type End = "stopped" | "closed" | Error;

/**
 * One caller with one connection that calls again as soon as it has its answer. It ends when it is stopped, when an answer says `connection: close`, or with the
 * failure of a call: whatever was not answered whole with status 200.
 */
export class Caller {
  readonly ended: Promise<End>;
  calls = 0;
  #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  #isStopped = false;

  constructor(url: string) {
    this.ended = this.#run(url);
  }

  stop(): void {
    this.#isStopped = true;
  }

  async #run(url: string): Promise<End> {
    try {
      while (!this.#isStopped) {
        const response = await this.#call(url);
        this.calls += 1;
        if (response.headers.connection === "close") return "closed";
      }
      return "stopped";
    } catch (error) {
      return error as Error;
    } finally {
      this.#agent.destroy();
    }
  }

  async #call(url: string): Promise<IncomingMessage> {
    const response = await get(url, this.#agent);
    const text = await textOf(response);
    if (response.statusCode === 200) return response;
    throw new Error(`call ${this.calls} of ${url}: ${response.statusCode} ${text}`);
  }
}

/** `count` callers, each in a closed loop. */
export function callers(count: number, url: string): Caller[] {
  return Array.from({ length: count }, () => new Caller(url));
}

export function callsOf(all: readonly Caller[]): number {
  return all.reduce((sum, { calls }) => sum + calls, 0);
}

/** Resolves with the head. */
export function get(url: string, agent: Agent): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request(url, { agent }, resolve).on("error", reject).end();
  });
}

/** The whole body; rejects where it is cut. */
export async function textOf(response: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of response.setEncoding("utf8")) text += chunk;
  return text;
}
