import { ApiError } from "@isola/client";
import type { DebugEvent } from "@isola/api/debugging";
import type { TailEvent } from "@isola/api/event-stream";
import { type Context, Failure } from "../command.ts";
import { Tunnel } from "./tunnel.ts";

/** Where editors look for each of them. */
export const usualPorts = { inspector: 9229, debugpy: 5678 } as const;

export interface DebugOptions {
  name: string;
  /** Left out: where editors look for one; 0: any free one. */
  port?: number;
  /** The code is loaded once a debugger is attached. */
  waits: boolean;
}

/**
 * Opens a debug session of a deployed function and a port of this machine for debuggers, and tells what becomes of it, until `signal` is aborted (then it resolves) or the session ends
 * (then it rejects with a `Failure`).
 */
export async function debugFunction(
  context: Pick<Context, "client" | "emit" | "note">,
  { name, port, waits }: DebugOptions,
  signal: AbortSignal,
): Promise<void> {
  const { client } = context;
  const events = await client.openDebugSession(name, { wait: waits }, { signal });
  let tunnel: Tunnel | null = null;
  try {
    for await (const event of events) {
      if (event.type === "end")
        throw new Failure(`The debug session of ${name} has ended: ${event.reason}`);
      if (event.type !== "item") continue;
      if (event.item.type === "session") tunnel = await openTunnel(context, event.item, name, port);
      show(context, event, { name, port: tunnel?.port ?? 0, waits });
    }
  } catch (error) {
    if (signal.aborted) return;
    if (error instanceof ApiError && error.code === "unreachable")
      throw new Failure(`The debug session of ${name} has ended: the server went away`);
    throw error;
  } finally {
    tunnel?.close();
  }
}

async function openTunnel(
  { client, note }: Pick<Context, "client" | "note">,
  session: DebugEvent & { type: "session" },
  name: string,
  port: number | undefined,
): Promise<Tunnel> {
  const tunnel = new Tunnel({
    port: port ?? usualPorts[session.debugger],
    target: () => client.debugConnection(name, session.id),
    onProblem: note,
  });
  await tunnel.open();
  return tunnel;
}

function show(
  { emit }: Pick<Context, "emit">,
  event: TailEvent<DebugEvent> & { type: "item" },
  { name, port, waits }: { name: string; port: number; waits: boolean },
): void {
  const { item } = event;
  const text = textOf(item, { name, port, waits });
  emit({ json: item.type === "session" ? { ...item, host: "127.0.0.1", port } : item, text });
}

function textOf(
  event: DebugEvent,
  { name, port, waits }: { name: string; port: number; waits: boolean },
): string {
  switch (event.type) {
    case "session": {
      const at = `Debugger of ${name}: 127.0.0.1:${port}`;
      const how =
        event.debugger === "inspector"
          ? `(Node inspector): chrome://inspect, VS Code attach or node inspect 127.0.0.1:${port}`
          : "(debugpy): VS Code attach";
      const then = waits
        ? "The code is loaded once a debugger is attached."
        : "Calls go to one sandbox, one at a time, and no clock of them runs.";
      return `${at} ${how}\n${then} Ctrl-C ends it.`;
    }
    case "open":
      return `Revision ${event.revision} runs in a new sandbox: attach again.`;
    case "failed":
      return `Revision ${event.revision} does not start: ${event.code}: ${event.message}`;
    case "sandbox_ended":
      return `The sandbox has ended (${event.reason}); another one is started.`;
  }
}
