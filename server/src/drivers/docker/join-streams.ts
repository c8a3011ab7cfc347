import type { Socket } from "node:net";
import type { StreamEnds } from "../driver.ts";
import type { Containers } from "./containers.ts";
import { carryControl, carryOutput } from "./output.ts";

interface Ends {
  containers: Containers;
  ends: StreamEnds;
  sandboxId: string;
}

export interface JoinedStreams {
  /** For a start that fails. */
  close(): void;
  /** For the end: what is not taken at once is dropped from now on. */
  hurry(): void;
}

/** Joins the gateway's streams of a sandbox with its container before that is started, so that no word of a start that fails is lost. */
export async function joinStreams(
  { containers, ends, sandboxId }: Ends,
  containerId: string,
): Promise<JoinedStreams> {
  const opened: Socket[] = [];
  const hurry = new AbortController();
  const close = () => {
    for (const socket of opened) socket.destroy();
  };
  const open = async (opening: Promise<Socket>) => {
    const socket = await opening;
    socket.on("error", () => {}); // its other side sees its end
    opened.push(socket);
    return socket;
  };
  const dial = (stream: "control" | "stdout" | "stderr") => open(ends.dial(sandboxId, stream));
  const attach = (...streams: ("stdin" | "stdout" | "stderr")[]) =>
    open(containers.attach(containerId, streams));
  try {
    // Apart from what the code writes: whoever does not take that must not stop the control stream.
    if (!containers.isLocal)
      carryControl(await attach("stdin", "stdout"), await dial("control"), hurry.signal);
    const output = await (containers.isLocal ? attach("stdout", "stderr") : attach("stderr"));
    const [stdout, stderr] = [await dial("stdout"), await dial("stderr")];
    for (const stream of [stdout, stderr]) stream.resume();
    void carryOutput(output, { stdout, stderr }, hurry.signal);
    return { close, hurry: () => hurry.abort() };
  } catch (error) {
    close();
    throw error;
  }
}
