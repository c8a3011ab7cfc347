import { Agent, type IncomingMessage, request } from "node:http";
import { IsolaError, messageOf } from "../../../errors.ts";

const ANSWER_BYTES_MAX = 65_536;
const FAULT_CHARS_MAX = 1000;

export interface ApiCall {
  method: "GET" | "PUT" | "PATCH";
  /** `/machine-config` */
  path: string;
  body?: object;
}

interface Answer {
  status: number;
  text: string;
}

/**
 * Firecracker's API over its unix socket. Every call has a deadline, and what fails rejects with `sandbox_start_failed`: of a call that nobody waits for any more it is
 * not known whether it was carried out, so the caller ends the process.
 */
export class ApiClient {
  readonly #socketPath: string;
  /** One connection for the whole life: the path leads into a folder of the VMM's, and is not followed again once a guest runs. */
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  #isClosed = false;

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  /** Resolves with what was answered, parsed; null where the answer is empty. */
  async call(call: ApiCall, deadlineMs: number, signal: AbortSignal): Promise<unknown> {
    const what = `${call.method} ${call.path}`;
    if (this.#isClosed) throw failed(`${what}: Firecracker has ended`);
    const { status, text } = await this.#exchange(call, deadlineMs, signal);
    if (status === 204) return null;
    if (status === 200) return parsed(text, what);
    throw failed(`Firecracker refused ${what}: ${faultOf(status, text)}`);
  }

  /** No call is made any more. */
  close(): void {
    this.#isClosed = true;
    this.#agent.destroy();
  }

  async #exchange(call: ApiCall, deadlineMs: number, signal: AbortSignal): Promise<Answer> {
    const deadline = AbortSignal.timeout(deadlineMs);
    const what = `${call.method} ${call.path}`;
    try {
      return await this.#send(call, AbortSignal.any([signal, deadline]));
    } catch (error) {
      if (signal.aborted) throw failed(`${what} to Firecracker was given up`, error);
      if (deadline.aborted)
        throw failed(`Firecracker did not answer ${what} within ${deadlineMs} ms`, error);
      throw failed(`Firecracker's answer to ${what} did not come: ${messageOf(error)}`, error);
    }
  }

  #send({ method, path, body }: ApiCall, signal: AbortSignal): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const text = body === undefined ? "" : JSON.stringify(body);
      const headers =
        body === undefined
          ? {}
          : { "content-type": "application/json", "content-length": Buffer.byteLength(text) };
      const options = { socketPath: this.#socketPath, agent: this.#agent, method, path, headers };
      const asked = request({ ...options, signal }, (answer) => {
        readAll(answer).then(
          (read) => resolve({ status: answer.statusCode ?? 0, text: read }),
          reject,
        );
      });
      asked.on("error", reject);
      asked.end(text);
    });
  }
}

async function readAll(answer: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of answer as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > ANSWER_BYTES_MAX) {
      answer.destroy();
      throw new Error(`it is longer than ${ANSWER_BYTES_MAX} bytes`);
    }
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

function parsed(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const shown = text.slice(0, FAULT_CHARS_MAX);
    throw failed(`Firecracker answered ${what} with what is not JSON: ${shown}`, error);
  }
}

/** `{"fault_message": "..."}`, or whatever else came. */
function faultOf(status: number, text: string): string {
  const shown = text.slice(0, FAULT_CHARS_MAX);
  try {
    const { fault_message: fault } = JSON.parse(text) as { fault_message?: unknown };
    if (typeof fault === "string") return fault.slice(0, FAULT_CHARS_MAX);
  } catch {
    // no JSON: shown as it is
  }
  return `status ${status}, ${shown === "" ? "without a word" : shown}`;
}

export function failed(text: string, cause?: unknown): IsolaError {
  return new IsolaError("sandbox_start_failed", text, { cause });
}
