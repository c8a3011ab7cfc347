import type { StreamEnds, StreamName } from "../driver.ts";
import { type LaunchStreams, closeStreams } from "./launch.ts";

/** A sandbox's ends of all three streams, or none. `first`: what it reads first from its control stream. */
export async function dialAll(
  ends: StreamEnds,
  id: string,
  first?: Buffer,
): Promise<LaunchStreams> {
  const names: readonly StreamName[] = ["stdout", "stderr", "control"];
  const dialled = await Promise.allSettled(
    names.map((name) => ends.dial(id, name, name === "control" ? first : undefined)),
  );
  const streams: LaunchStreams = { stdout: "ignore", stderr: "ignore", control: "ignore" };
  for (const [at, each] of dialled.entries())
    if (each.status === "fulfilled") streams[names[at] as StreamName] = each.value;
  const failed = dialled.find((each) => each.status === "rejected");
  if (failed === undefined) return streams;
  closeStreams(streams);
  throw failed.reason;
}
